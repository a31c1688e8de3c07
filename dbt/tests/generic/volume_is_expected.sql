{#- The rows of each of the last volume_detection_days up to the as_of_date are as many as the same
    weekday of the weeks before lets expect (macro volume_expectation). -#}
{% test volume_is_expected(model, column_name) %}
    with
        counts as (
            select 'all' as series, {{ column_name }} as business_date, count(*) as row_count
            from {{ model }}
            where {{ column_name }} is not null
            group by {{ column_name }}
        ),

        {{ olist.volume_expectation("counts", ["series"]) }}

    select business_date, row_count, expected_low, expected_rows, expected_high
    from judged
    where is_anomaly and is_in_detection_window
{% endtest %}
