{#- The mean of a column lies within the var `bounds`, [least, most]. With fewer values than the var
    distribution_min_orders it says nothing and passes. -#}
{% test mean_within_bounds(model, column_name, bounds) %}
    select value_count, mean_value
    from
        (
            select
                count({{ column_name }}) as value_count,
                {{ olist.ratio("sum(" ~ column_name ~ ")", "count(" ~ column_name ~ ")") }}
                as mean_value
            from {{ model }}
        ) as measured
    where
        value_count >= {{ var("distribution_min_orders") }}
        and (mean_value < {{ var(bounds)[0] }} or mean_value > {{ var(bounds)[1] }})
{% endtest %}
