-- Grain: one row per origin_month and horizon: what would have been forecast at the end of a month.
-- Every origin sees its own past alone, so that the errors of the older ones tell what to expect of
-- the newest. Only complete months take part; months at the edges that an extract cut off do not.
{% set level_months = var("forecast_moving_average_months") %}
{% set trend_months = var("forecast_trend_months") %}
{% set seasonal_months = var("forecast_seasonal_months") %}
{% set minimum_trend_months = var("forecast_minimum_trend_months") %}
{% set last_horizon = var("forecast_horizon_months") + var("forecast_maximum_edge_months") %}

with
    complete_months as (
        select month, orders, gmv from {{ ref("int_monthly_revenue") }} where is_complete
    ),

    typical as (select median(orders) as orders from complete_months),

    edges as (
        select
            min(
                case when {{ is_business_month() }} then complete_months.month end
            ) as first_business_month,
            max(
                case when {{ is_business_month() }} then complete_months.month end
            ) as last_business_month,
            max(complete_months.month) as last_month
        from complete_months
        cross join typical
    ),

    training as (
        select
            complete_months.month,
            complete_months.gmv,
            month(complete_months.month) as calendar_month,
            row_number() over (order by complete_months.month asc) as position
        from complete_months
        cross join edges
        where
            complete_months.month >= edges.first_business_month
            and (
                complete_months.month <= edges.last_business_month
                or edges.last_business_month
                < {{
                    add_periods(
                        "month", -1 * var("forecast_maximum_edge_months"), "edges.last_month"
                    )
                }}
            )
    ),

    -- The year around a month, its two outer months by half: what it would be without a season.
    centred as (
        select
            month,
            calendar_month,
            position,
            gmv,
            sum(gmv) over (order by position rows between 6 preceding and 5 following)
            + sum(gmv) over (
                order by position rows between 5 preceding and 6 following
            ) as two_years_gmv,
            count(*) over (
                order by position rows between 6 preceding and 6 following
            ) as months_around
        from training
    ),

    seasonal_ratios as (
        select calendar_month, position, {{ ratio("24 * gmv", "two_years_gmv") }} as seasonal_ratio
        from centred
        where months_around = 13
    ),

    origins as (
        select
            month as origin_month,
            position as training_months,
            max(position) over () = position as is_latest_origin,
            case
                when position >= {{ seasonal_months }}
                then 'seasonal index on trend and moving average'
                when position >= {{ minimum_trend_months }}
                then 'trend and moving average'
                else 'moving average'
            end as forecast_method
        from training
    ),

    raw_indices as (
        select
            origins.origin_month,
            seasonal_ratios.calendar_month,
            avg(seasonal_ratios.seasonal_ratio) as seasonal_ratio
        from origins
        inner join seasonal_ratios on seasonal_ratios.position <= origins.training_months - 6
        where origins.training_months >= {{ seasonal_months }}
        group by origins.origin_month, seasonal_ratios.calendar_month
    ),

    -- Twelve indices average 1: a season moves sales within the year and adds none.
    seasonal_indices as (
        select
            origin_month,
            calendar_month,
            {{ ratio("seasonal_ratio", "avg(seasonal_ratio) over (partition by origin_month)") }}
            as seasonal_index
        from raw_indices
    ),

    histories as (
        select
            origins.origin_month,
            origins.training_months,
            origins.is_latest_origin,
            origins.forecast_method,
            training.position,
            training.position > origins.training_months - {{ level_months }} as is_in_level,
            training.position > origins.training_months - {{ trend_months }} as is_in_trend,
            {{ ratio("training.gmv", "coalesce(seasonal_indices.seasonal_index, 1)") }}
            as deseasonalised_gmv
        from origins
        inner join
            training
            on training.position <= origins.training_months
            and training.position
            > origins.training_months - {{ [level_months, trend_months] | max }}
        left join
            seasonal_indices
            on origins.origin_month = seasonal_indices.origin_month
            and training.calendar_month = seasonal_indices.calendar_month
    ),

    lines as (
        select
            origin_month,
            training_months,
            is_latest_origin,
            forecast_method,
            -- A month that never sold in its season has nothing to deseasonalise.
            coalesce(avg(case when is_in_level then deseasonalised_gmv end), 0) as level,
            avg(case when is_in_level then training_months - position end) as level_age,
            case
                when training_months >= {{ minimum_trend_months }}
                then regr_slope(case when is_in_trend then deseasonalised_gmv end, position)
                else 0
            end as monthly_trend
        from histories
        group by origin_month, training_months, is_latest_origin, forecast_method
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
            targets.origin_month,
            targets.horizon,
            targets.forecast_month,
            targets.is_latest_origin,
            targets.training_months,
            targets.forecast_method,
            targets.level,
            targets.level_age,
            targets.monthly_trend,
            coalesce(seasonal_indices.seasonal_index, 1) as seasonal_index,
            training.gmv as actual_gmv
        from targets
        left join
            seasonal_indices
            on targets.origin_month = seasonal_indices.origin_month
            and month(targets.forecast_month) = seasonal_indices.calendar_month
        left join training on targets.forecast_month = training.month
    ),

    forecasts as (
        select
            origin_month,
            cast(horizon as integer) as horizon,
            forecast_month,
            is_latest_origin,
            cast(training_months as integer) as training_months,
            forecast_method,
            cast(round(level * seasonal_index, 2) as decimal(18, 2)) as forecast_level,
            cast(round(monthly_trend, 2) as decimal(18, 2)) as monthly_trend,
            cast(round(seasonal_index, 6) as decimal(9, 6)) as seasonal_index,
            cast(
                round(
                    greatest(0, level + monthly_trend * (horizon + level_age)) * seasonal_index, 2
                ) as decimal(18, 2)
            ) as forecast_gmv,
            actual_gmv
        from joined
    ),

    tested as (
        select
            forecasts.*,
            cast(
                round({{ ratio("actual_gmv - forecast_gmv", "forecast_level") }}, 6) as decimal(
                    18, 6
                )
            ) as relative_error
        from forecasts
    )

select *
from tested
