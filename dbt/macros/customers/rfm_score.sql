{#- A select with one row per value (`measure`) among the rows of a relation that a condition holds for,
    with its `score`: 1 to 5, 5 for the largest, a fifth of the way of its percent rank each. Equal values
    have equal scores, and there are far fewer values than people: only they have to be ranked. -#}
{%- macro rfm_scores(relation, measure, among) -%}
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
            from {{ relation }}
            where {{ among }}
            group by {{ measure }}
        ) as measures
{%- endmacro -%}
