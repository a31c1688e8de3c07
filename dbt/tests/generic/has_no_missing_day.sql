{#- No day between two days of the same weekday, the week before and the week after, that both have
    volume_minimum_rows or more is without a row: such a hole is a lost file, while business that begins
    or ends leaves none. -#}
{% test has_no_missing_day(model, column_name) %}
    with
        busy_days as (
            select {{ column_name }} as business_date
            from {{ model }}
            where {{ column_name }} is not null
            group by {{ column_name }}
            having count(*) >= {{ var("volume_minimum_rows") }}
        ),

        days as (select distinct {{ column_name }} as business_date from {{ model }}),

        between_busy_days as (
            select {{ olist.add_periods("day", 7, "before.business_date") }} as business_date
            from busy_days as before
            inner join
                busy_days as after
                on after.business_date = {{ olist.add_periods("day", 14, "before.business_date") }}
        )

    select between_busy_days.business_date
    from between_busy_days
    left join days on between_busy_days.business_date = days.business_date
    where days.business_date is null
{% endtest %}
