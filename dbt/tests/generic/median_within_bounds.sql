{#- The median of a column lies within the var `bounds`, [least, most]. With fewer values than the var
    distribution_min_orders it passes. -#}
{% test median_within_bounds(model, column_name, bounds) %}
    select value_count, median_value
    from
        (
            select
                count({{ column_name }}) as value_count, median({{ column_name }}) as median_value
            from {{ model }}
        ) as measured
    where
        value_count >= {{ var("distribution_min_orders") }}
        and (median_value < {{ var(bounds)[0] }} or median_value > {{ var(bounds)[1] }})
{% endtest %}
