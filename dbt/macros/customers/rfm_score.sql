{#- Score 1 to 5 of a measure among the rows that a condition holds for, 5 at the end of the order: equal
    values, equal scores; null for the other rows, which move nobody's rank. -#}
{%- macro rfm_score(order_by, among) -%}
    case
        when {{ among }}
        then
            cast(
                least(
                    5,
                    1 + floor(
                        5 * percent_rank() over (partition by {{ among }} order by {{ order_by }})
                    )
                ) as integer
            )
    end
{%- endmacro -%}
