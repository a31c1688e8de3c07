-- The forecasts of regions and those of categories each add up to the platform's, to the cent,
-- whatever
-- the origin, and so do their actuals.
select
    origin_month,
    horizon,
    parts.series_level,
    sum(parts.forecast_gmv) as parts_gmv,
    max(platform.forecast_gmv) as platform_gmv
from {{ ref("int_gmv_forecasts") }} as parts
inner join
    (
        select origin_month, horizon, forecast_gmv, actual_gmv
        from {{ ref("int_gmv_forecasts") }}
        where series_level = 'platform'
    ) as platform using (origin_month, horizon)
where parts.series_level <> 'platform'
group by origin_month, horizon, parts.series_level
having
    sum(parts.forecast_gmv) <> max(platform.forecast_gmv)
    or coalesce(sum(parts.actual_gmv), 0) <> coalesce(max(platform.actual_gmv), 0)
