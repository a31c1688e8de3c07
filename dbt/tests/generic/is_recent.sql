{#- The newest date of a column lies no more than the var `maximum_lag_days` before the as_of_date. Of
    what never came the wait began with the first order: nothing is as stale as nothing. -#}
{% test is_recent(model, column_name, maximum_lag_days) %}
    select newest_date, as_of_date
    from
        (
            select
                coalesce(
                    max(cast({{ column_name }} as date)),
                    (select min(purchase_date) from {{ ref("stg_orders") }})
                ) as newest_date,
                {{ olist.as_of_date() }} as as_of_date
            from {{ model }}
        ) as newest
    where newest_date < {{ olist.add_periods("day", -1 * var(maximum_lag_days), "as_of_date") }}
{% endtest %}
