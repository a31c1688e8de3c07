{#- CTEs that hold, for each series of daily counts, every day from its first one to the as_of_date with
    the range its count was to be expected in. The last of them is `judged`.

    `counts` is a CTE of the columns `key`, business_date and row_count, one row per day that has any.
    A day without rows counts zero. What is expected of a day is the mean of the same weekday in the
    weeks before it (var volume_training_weeks), the day itself and all that follows left out: so a day
    is judged alike whenever it is looked at, and no break teaches the model that it is normal before
    a week has passed. The range is the mean plus and minus volume_sensitivity standard deviations, and
    never less than volume_minimum_change of the mean: small changes are none, and a series that never
    varied (deviation zero) still has a range that a break can leave. Where no day that teaches had
    fewer than volume_minimum_rows, a row is expected however much they vary: one Black Friday would
    otherwise let a lost file pass for all Fridays that it teaches. Days with a short or thin history are
    not judged. Sums are of whole numbers, so that no order of rows changes a digit. -#}
{%- macro volume_expectation(counts, key) -%}
    {%- set same_weekday = (
        "over (partition by " ~ key
        | join(", ")
        ~ ", weekday order by business_date rows between "
        ~ var("volume_training_weeks")
        ~ " preceding and 1 preceding)"
    ) -%}
    reference as (select {{ olist.as_of_date() }} as as_of_date),

    digits as (
        {% for digit in range(10) -%}
            select {{ digit }} as digit {{ "union all" if not loop.last }}
        {% endfor %}
    ),

    offsets as (
        select
            ones.digit
            + 10 * tens.digit
            + 100 * hundreds.digit
            + 1000 * thousands.digit as day_offset
        from digits as ones
        cross join digits as tens
        cross join digits as hundreds
        cross join digits as thousands
    ),

    ranges as (
        select {{ key | join(", ") }}, min(business_date) as first_date
        from {{ counts }}
        group by {{ key | join(", ") }}
    ),

    days as (
        select
            {% for column in key %} ranges.{{ column }}, {% endfor %}
            {{ olist.add_periods("day", "offsets.day_offset", "ranges.first_date") }}
            as business_date,
            reference.as_of_date
        from ranges
        cross join reference
        inner join
            offsets
            on offsets.day_offset
            <= {{ dbt.datediff("ranges.first_date", "reference.as_of_date", "day") }}
    ),

    series as (
        select
            {% for column in key %} days.{{ column }}, {% endfor %}
            days.business_date,
            days.as_of_date,
            {{ olist.iso_weekday("days.business_date") }} as weekday,
            cast(coalesce({{ counts }}.row_count, 0) as bigint) as row_count
        from days
        left join
            {{ counts }} on days.business_date = {{ counts }}.business_date
            {% for column in key %} and days.{{ column }} = {{ counts }}.{{ column }} {% endfor %}
    ),

    trained as (
        select
            *,
            count(*) {{ same_weekday }} as training_weeks,
            min(row_count) {{ same_weekday }} as training_minimum,
            cast(coalesce(sum(row_count) {{ same_weekday }}, 0) as bigint) as training_sum,
            cast(
                coalesce(sum(row_count * row_count) {{ same_weekday }}, 0) as bigint
            ) as training_squares
        from series
    ),

    expected as (
        select
            *,
            case
                when training_weeks >= {{ var("volume_minimum_training_weeks") }}
                then {{ olist.ratio("training_sum", "training_weeks") }}
            end as expected_rows,
            case
                when training_weeks >= {{ var("volume_minimum_training_weeks") }}
                then
                    sqrt(
                        {{
                            olist.ratio(
                                "training_weeks * training_squares - training_sum * training_sum",
                                "training_weeks * (training_weeks - 1)",
                            )
                        }}
                    )
            end as stddev_rows
        from trained
    ),

    ranged as (
        select
            *,
            case
                when
                    {{ var("volume_sensitivity") }} * stddev_rows
                    > {{ var("volume_minimum_change") }} * expected_rows
                then {{ var("volume_sensitivity") }} * stddev_rows
                else {{ var("volume_minimum_change") }} * expected_rows
            end as tolerance,
            coalesce(expected_rows >= {{ var("volume_minimum_rows") }}, false) as is_judged
        from expected
    ),

    bounded as (
        select
            *,
            case
                when expected_rows is not null
                then
                    greatest(
                        expected_rows - tolerance,
                        case
                            when training_minimum >= {{ var("volume_minimum_rows") }} then 1 else 0
                        end
                    )
            end as lowest,
            expected_rows + tolerance as highest
        from ranged
    ),

    judged as (
        select
            {% for column in key %} {{ column }}, {% endfor %}
            business_date,
            cast(row_count as integer) as row_count,
            cast(training_weeks as integer) as training_weeks,
            round(expected_rows, 4) as expected_rows,
            round(stddev_rows, 4) as stddev_rows,
            round(lowest, 4) as expected_low,
            round(highest, 4) as expected_high,
            round(
                {{ olist.ratio("row_count - expected_rows", "stddev_rows") }}, 4
            ) as anomaly_score,
            is_judged,
            is_judged and (row_count < lowest or row_count > highest) as is_anomaly,
            case
                when is_judged and row_count < lowest
                then 'drop'
                when is_judged and row_count > highest
                then 'spike'
            end as anomaly_direction,
            business_date
            > {{ olist.add_periods("day", -1 * var("volume_detection_days"), "as_of_date") }}
            as is_in_detection_window,
            as_of_date
        from bounded
    )
{%- endmacro -%}
