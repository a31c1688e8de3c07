{#- The share of rows that meet a condition lies within the var `bounds`, [least, most]. With fewer rows
    than the var distribution_min_orders a share says nothing and passes. -#}
{% test share_within_bounds(model, condition, bounds) %}
    select row_count, matching
    from
        (
            select count(*) as row_count, count(case when {{ condition }} then 1 end) as matching
            from {{ model }}
        ) as counted
    where
        row_count >= {{ var("distribution_min_orders") }}
        and (
            matching < row_count * {{ var(bounds)[0] }}
            or matching > row_count * {{ var(bounds)[1] }}
        )
{% endtest %}
