-- The forecast is the next months after the last complete one, with its method, nested intervals
-- and no actual in it. Without any complete month the row may say only that.
with
    forecasts as (select * from {{ ref("mart_financial_performance") }} where is_forecast),

    bounds as (
        select
            count(*) as months,
            min(month) as first_month,
            max({{ period_start("month", add_periods("day", 1, "as_of_date")) }}) as expected_month
        from forecasts
    ),

    faults as (
        select month, 'bounds' as fault
        from forecasts
        where
            forecast_method is null
            or gmv is not null
            or orders is not null
            or forecast_lower_95 > forecast_lower_80
            or forecast_lower_80 > forecast_gmv
            or forecast_gmv > forecast_upper_80
            or forecast_upper_80 > forecast_upper_95
            or (forecast_gmv is null and forecast_method not like 'none%')

        union all

        select first_month, 'months'
        from bounds
        where months <> {{ var("forecast_horizon_months") }} or first_month <> expected_month
    )

select *
from faults
