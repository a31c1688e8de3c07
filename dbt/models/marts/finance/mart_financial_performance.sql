-- Grain: one row per month and is_forecast: every month from the first order's to the as_of_date's,
-- and the months forecast after the last complete one (the running month is in both).
{% set horizon_months = var("forecast_horizon_months") %}
{% set forecast_bounds = [
    "forecast_lower_80",
    "forecast_upper_80",
    "forecast_lower_95",
    "forecast_upper_95",
] %}
{% set actual_columns = {
    "orders_placed": "integer",
    "orders": "integer",
    "gmv": "decimal(18, 2)",
    "freight_revenue": "decimal(18, 2)",
    "gross_order_value": "decimal(18, 2)",
    "freight_share": "double",
    "aov": "double",
    "payment_value": "decimal(18, 2)",
    "payment_gap": "decimal(18, 2)",
    "payment_gap_orders": "integer",
    "platform_revenue": "decimal(18, 2)",
    "payment_fees": "decimal(18, 2)",
    "net_platform_revenue": "decimal(18, 2)",
    "take_rate": "double",
    "lost_orders": "integer",
    "lost_order_value": "decimal(18, 2)",
    "lost_value_share": "double",
    "lost_payment_value": "decimal(18, 2)",
    "refunds_at_risk": "decimal(18, 2)",
    "gmv_mom_growth": "double",
    "gmv_yoy_growth": "double",
    "orders_mom_growth": "double",
    "gmv_trend": "varchar",
    "gmv_moving_average_3": "decimal(18, 2)",
    "gmv_moving_average_6": "decimal(18, 2)",
    "gmv_year_to_date": "decimal(18, 2)",
    "backtest_gmv": "decimal(18, 2)",
    "backtest_error": "double",
} %}

with
    revenue as (select * from {{ ref("int_monthly_revenue") }}),

    forecasts as (select * from {{ ref("int_gmv_forecasts") }} where series_level = 'platform'),

    reference as (select {{ as_of_date() }} as as_of_date),

    actual_months as (
        select
            revenue.month,
            revenue.is_complete,
            revenue.orders_placed,
            revenue.orders,
            revenue.gmv,
            revenue.freight_revenue,
            revenue.payment_value,
            revenue.payment_gap,
            revenue.payment_gap_orders,
            revenue.lost_orders,
            revenue.lost_order_value,
            revenue.lost_payment_value,
            revenue.refunds_at_risk,
            revenue.as_of_date,
            {{ platform_revenue("revenue.gmv", "revenue.freight_revenue") }} as platform_revenue,
            cast(
                revenue.payment_value
                * cast({{ var("payment_fee_rate") }} as decimal(7, 6)) as decimal(18, 2)
            ) as payment_fees,
            {{ ratio("revenue.gmv", "revenue.orders_with_items") }} as aov,
            {{ growth("revenue", "previous", "gmv") }} as gmv_mom_growth,
            {{ growth("revenue", "year_ago", "gmv") }} as gmv_yoy_growth,
            {{ growth("revenue", "previous", "orders") }} as orders_mom_growth
        from revenue
        left join
            revenue as previous on previous.month = {{ add_periods("month", -1, "revenue.month") }}
        left join
            revenue as year_ago on year_ago.month = {{ add_periods("year", -1, "revenue.month") }}
    ),

    -- No month is missing, so that rows are months here.
    averaged as (
        select
            actual_months.*,
            {% for months in [3, 6] %}
                case
                    when
                        is_complete
                        and count(*) over (
                            order by month rows between {{ months - 1 }} preceding and current row
                        )
                        = {{ months }}
                    then
                        sum(gmv) over (
                            order by month rows between {{ months - 1 }} preceding and current row
                        )
                end as gmv_{{ months }}_months,
            {% endfor %}
            sum(gmv) over (
                partition by extract(year from month)
                order by month
                rows between unbounded preceding and current row
            ) as gmv_year_to_date
        from actual_months
    ),

    one_month_ahead as (select * from forecasts where horizon = 1),

    actuals as (
        select
            averaged.month,
            false as is_forecast,
            averaged.is_complete,
            averaged.orders_placed,
            averaged.orders,
            averaged.gmv,
            averaged.freight_revenue,
            cast(averaged.gmv + averaged.freight_revenue as decimal(18, 2)) as gross_order_value,
            {{ ratio("averaged.freight_revenue", "averaged.gmv + averaged.freight_revenue") }}
            as freight_share,
            averaged.aov,
            averaged.payment_value,
            averaged.payment_gap,
            averaged.payment_gap_orders,
            averaged.platform_revenue,
            averaged.payment_fees,
            cast(
                averaged.platform_revenue - averaged.payment_fees as decimal(18, 2)
            ) as net_platform_revenue,
            {{ ratio("averaged.platform_revenue", "averaged.gmv") }} as take_rate,
            averaged.lost_orders,
            averaged.lost_order_value,
            {{
                ratio(
                    "averaged.lost_order_value",
                    "averaged.lost_order_value + averaged.gmv + averaged.freight_revenue",
                )
            }} as lost_value_share,
            averaged.lost_payment_value,
            averaged.refunds_at_risk,
            averaged.gmv_mom_growth,
            averaged.gmv_yoy_growth,
            averaged.orders_mom_growth,
            {{ tier("averaged.gmv_mom_growth", var("growth_trends")) }} as gmv_trend,
            cast(
                round({{ ratio("averaged.gmv_3_months", "3") }}, 2) as decimal(18, 2)
            ) as gmv_moving_average_3,
            cast(
                round({{ ratio("averaged.gmv_6_months", "6") }}, 2) as decimal(18, 2)
            ) as gmv_moving_average_6,
            cast(averaged.gmv_year_to_date as decimal(18, 2)) as gmv_year_to_date,
            one_month_ahead.forecast_gmv as backtest_gmv,
            {{
                ratio(
                    "one_month_ahead.actual_gmv - one_month_ahead.forecast_gmv",
                    "one_month_ahead.actual_gmv",
                )
            }} as backtest_error,
            cast(null as decimal(18, 2)) as forecast_gmv,
            {% for bound in forecast_bounds %}
                cast(null as decimal(18, 2)) as {{ bound }},
            {% endfor %}
            cast(null as varchar) as forecast_method,
            cast(null as integer) as forecast_training_months,
            cast(null as double) as forecast_candidate_mape,
            cast(null as double) as forecast_naive_mape,
            cast(null as integer) as forecast_interval_errors,
            averaged.as_of_date
        from averaged
        left join
            one_month_ahead
            on averaged.month = one_month_ahead.forecast_month
            and one_month_ahead.actual_gmv is not null
    ),

    first_months as (
        select
            as_of_date,
            {{ period_start("month", add_periods("day", 1, "as_of_date")) }} as first_forecast_month
        from reference
    ),

    months_ahead as (
        {% for month_ahead in range(horizon_months) %}
            select
                as_of_date, {{ add_periods("month", month_ahead, "first_forecast_month") }} as month
            from first_months {{ "union all" if not loop.last }}
        {% endfor %}
    ),

    latest as (select * from forecasts where is_latest_origin),

    forecast_months as (
        select
            months_ahead.month,
            true as is_forecast,
            false as is_complete,
            {% for column, data_type in actual_columns.items() %}
                cast(null as {{ data_type }}) as {{ column }},
            {% endfor %}
            latest.forecast_gmv,
            {% for bound in forecast_bounds %} latest.{{ bound }}, {% endfor %}
            coalesce(latest.forecast_method, 'none: no complete month') as forecast_method,
            latest.training_months as forecast_training_months,
            latest.candidate_mape as forecast_candidate_mape,
            latest.naive_mape as forecast_naive_mape,
            latest.interval_errors as forecast_interval_errors,
            months_ahead.as_of_date
        from months_ahead
        left join latest on months_ahead.month = latest.forecast_month
    ),

    united as (
        select *
        from actuals
        union all
        select *
        from forecast_months
    )

select *
from united
