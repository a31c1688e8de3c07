{#- No more than the var `maximum` (0 to 1) of a column's rows have no value. With fewer rows than the
    var distribution_min_orders it says nothing and passes. -#}
{% test null_share_is_bounded(model, column_name, maximum) %}
    select row_count, missing
    from
        (
            select count(*) as row_count, count(*) - count({{ column_name }}) as missing
            from {{ model }}
        ) as counted
    where
        row_count >= {{ var("distribution_min_orders") }}
        and missing > row_count * {{ var(maximum) }}
{% endtest %}
