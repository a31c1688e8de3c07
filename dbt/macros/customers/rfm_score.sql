{#- Score 1 to 5 of a measure among all rows, 5 at the end of the order: equal values, equal scores. -#}
{%- macro rfm_score(order_by) -%}
    cast(least(5, 1 + floor(5 * percent_rank() over (order by {{ order_by }}))) as integer)
{%- endmacro -%}
