-- No forecast starts from, or is judged by, a month that has not ended by the as_of_date.
select forecasts.origin_month, forecasts.forecast_month, forecasts.actual_gmv
from {{ ref("int_gmv_forecasts") }} as forecasts
left join {{ ref("int_monthly_revenue") }} as origins on forecasts.origin_month = origins.month
left join {{ ref("int_monthly_revenue") }} as targets on forecasts.forecast_month = targets.month
where
    not coalesce(origins.is_complete, false)
    or (
        forecasts.actual_gmv is not null
        and (
            not coalesce(targets.is_complete, false)
            or (forecasts.series_level = 'platform' and forecasts.actual_gmv <> targets.gmv)
        )
    )
