-- Grain: one row per series_level, series, month: GMV forecast of the platform, of each region
-- and of
-- the top categories for the next months after the last complete one. Parts add up to the platform.
with
    forecasts as (select * from {{ ref("int_gmv_forecasts") }} where is_latest_origin),

    reference as (
        select
            as_of_date,
            {{ period_start("month", add_periods("day", 1, "as_of_date")) }} as first_forecast_month
        from (select {{ as_of_date() }} as as_of_date) as dates
    ),

    platform as (
        select horizon, forecast_gmv as platform_gmv from forecasts where series_level = 'platform'
    ),

    joined as (
        select
            forecasts.series_level,
            forecasts.series,
            forecasts.forecast_month as month,
            forecasts.forecast_gmv,
            forecasts.forecast_lower_80,
            forecasts.forecast_upper_80,
            forecasts.forecast_lower_95,
            forecasts.forecast_upper_95,
            {{ ratio("forecasts.forecast_gmv", "platform.platform_gmv") }} as share_of_platform,
            forecasts.forecast_method,
            forecasts.is_fallback,
            forecasts.candidate_method,
            forecasts.candidate_mape,
            forecasts.naive_mape,
            forecasts.judged_forecasts,
            forecasts.interval_errors,
            forecasts.training_months,
            forecasts.seasonal_index,
            forecasts.naive_gmv as last_month_gmv,
            reference.as_of_date
        from forecasts
        cross join reference
        inner join platform on forecasts.horizon = platform.horizon
        where
            forecasts.forecast_month >= reference.first_forecast_month
            and forecasts.forecast_month
            < {{
                add_periods(
                    "month",
                    var("forecast_horizon_months"),
                    "reference.first_forecast_month",
                )
            }}
    )

select *
from joined
