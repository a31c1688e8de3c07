{#- A select with one row per value (`measure`) of a relation of people, with its `score`:
    1 to 5 by the fifth that its percent rank lies in, 5 for the largest. Equal values have equal scores,
    and there are far fewer values than people: only they have to be ranked. -#}
{%- macro rfm_scores(people, measure) -%}
    select
        measure,
        cast(
            least(
                5,
                1 + floor(
                    coalesce(
                        5
                        * {{
                            olist.ratio(
                                "sum(people) over (order by measure) - people",
                                "sum(people) over () - 1",
                            )
                        }},
                        0
                    )
                )
            ) as integer
        ) as score
    from
        (
            select {{ measure }} as measure, count(*) as people
            from {{ people }}
            group by {{ measure }}
        ) as measures
{%- endmacro -%}
