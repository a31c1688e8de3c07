-- Grain: one row per series_level, series, origin_month, horizon: what the moving average and the
-- last month's value would have forecast at the end of a month. Every origin sees its own past
-- alone.
{% set level_months = var("forecast_moving_average_months") %}
{% set trend_months = var("forecast_trend_months") %}
{% set seasonal_months = var("forecast_seasonal_months") %}
{% set minimum_trend_months = var("forecast_minimum_trend_months") %}
{% set last_horizon = var("forecast_horizon_months") + var("forecast_maximum_edge_months") %}

with
    training as (select *, month(month) as calendar_month from {{ ref("int_forecast_series") }}),

    -- The year around a month, its two outer months by half: what it would be without a season.
    centred as (
        select
            series_level,
            series,
            calendar_month,
            position,
            gmv,
            sum(gmv) over (
                partition by series_level, series
                order by position
                rows between 6 preceding and 5 following
            ) + sum(gmv) over (
                partition by series_level, series
                order by position
                rows between 5 preceding and 6 following
            ) as two_years_gmv,
            count(*) over (
                partition by series_level, series
                order by position
                rows between 6 preceding and 6 following
            ) as months_around
        from training
    ),

    seasonal_ratios as (
        select
            series_level,
            series,
            calendar_month,
            position,
            {{ decimal_ratio("24 * gmv", "two_years_gmv") }} as seasonal_ratio
        from centred
        where months_around = 13
    ),

    origins as (
        select
            series_level,
            series,
            month as origin_month,
            gmv as origin_gmv,
            position as training_months,
            max(position) over () = position as is_latest_origin,
            case
                when position >= {{ seasonal_months }}
                then 'seasonal index on trend and moving average'
                when position >= {{ minimum_trend_months }}
                then 'trend and moving average'
                else 'moving average'
            end as candidate_method
        from training
    ),

    raw_indices as (
        select
            origins.series_level,
            origins.series,
            origins.origin_month,
            seasonal_ratios.calendar_month,
            {{
                decimal_ratio(
                    "sum(seasonal_ratios.seasonal_ratio)",
                    "count(seasonal_ratios.seasonal_ratio)",
                )
            }} as seasonal_ratio
        from origins
        inner join
            seasonal_ratios
            on origins.series_level = seasonal_ratios.series_level
            and origins.series = seasonal_ratios.series
            and seasonal_ratios.position <= origins.training_months - 6
        where origins.training_months >= {{ seasonal_months }}
        group by
            origins.series_level,
            origins.series,
            origins.origin_month,
            seasonal_ratios.calendar_month
    ),

    -- Twelve indices average 1: a season moves sales within the year and adds none.
    seasonal_indices as (
        select
            series_level,
            series,
            origin_month,
            calendar_month,
            {{
                ratio(
                    "seasonal_ratio * count(seasonal_ratio) over (partition by series_level, series, origin_month)",
                    "sum(seasonal_ratio) over (partition by series_level, series, origin_month)",
                )
            }}
            as seasonal_index
        from raw_indices
    ),

    histories as (
        select
            origins.*,
            training.position,
            training.position > origins.training_months - {{ level_months }} as is_in_level,
            training.position > origins.training_months - {{ trend_months }} as is_in_trend,
            cast(
                round(
                    {{ ratio("training.gmv", "coalesce(seasonal_indices.seasonal_index, 1)") }}, 6
                ) as decimal(18, 6)
            ) as deseasonalised_gmv
        from origins
        inner join
            training
            on origins.series_level = training.series_level
            and origins.series = training.series
            and training.position <= origins.training_months
            and training.position
            > origins.training_months - {{ [level_months, trend_months] | max }}
        left join
            seasonal_indices
            on origins.series_level = seasonal_indices.series_level
            and origins.series = seasonal_indices.series
            and origins.origin_month = seasonal_indices.origin_month
            and training.calendar_month = seasonal_indices.calendar_month
    ),

    lines as (
        select
            series_level,
            series,
            origin_month,
            origin_gmv,
            training_months,
            is_latest_origin,
            candidate_method,
            -- A month that never sold in its season has nothing to deseasonalise.
            coalesce(
                {{ exact_average("case when is_in_level then deseasonalised_gmv end") }}, 0
            ) as level,
            avg(case when is_in_level then training_months - position end) as level_age,
            case
                when training_months >= {{ minimum_trend_months }}
                then
                    coalesce(
                        {{
                            exact_slope(
                                "case when is_in_trend then deseasonalised_gmv end", "position"
                            )
                        }},
                        0
                    )
                else 0
            end as monthly_trend
        from histories
        group by
            series_level,
            series,
            origin_month,
            origin_gmv,
            training_months,
            is_latest_origin,
            candidate_method
    ),

    horizons as (
        {% for horizon in range(1, last_horizon + 1) %}
            select {{ horizon }} as horizon {{ "union all" if not loop.last }}
        {% endfor %}
    ),

    targets as (
        select
            lines.*,
            horizons.horizon,
            {{ add_periods("month", "horizons.horizon", "lines.origin_month") }} as forecast_month
        from lines
        cross join horizons
    ),

    joined as (
        select
            targets.*,
            coalesce(seasonal_indices.seasonal_index, 1) as seasonal_index,
            training.gmv as actual_gmv
        from targets
        left join
            seasonal_indices
            on targets.series_level = seasonal_indices.series_level
            and targets.series = seasonal_indices.series
            and targets.origin_month = seasonal_indices.origin_month
            and month(targets.forecast_month) = seasonal_indices.calendar_month
        left join
            training
            on targets.series_level = training.series_level
            and targets.series = training.series
            and targets.forecast_month = training.month
    ),

    forecasts as (
        select
            series_level,
            series,
            origin_month,
            cast(horizon as integer) as horizon,
            forecast_month,
            is_latest_origin,
            training_months,
            candidate_method,
            cast(round(level * seasonal_index, 2) as decimal(18, 2)) as forecast_level,
            cast(round(monthly_trend, 2) as decimal(18, 2)) as monthly_trend,
            cast(round(seasonal_index, 6) as decimal(9, 6)) as seasonal_index,
            cast(
                round(
                    greatest(0, level + monthly_trend * {{ damped_months("horizon + level_age") }})
                    * seasonal_index,
                    2
                ) as decimal(18, 2)
            ) as candidate_gmv,
            origin_gmv as naive_gmv,
            actual_gmv
        from joined
    )

select *
from forecasts
