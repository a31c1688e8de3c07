-- Grain: one row per relation, a dataset of staging or a mart.
-- No wall clock: business dates are compared with the as_of_date, loads with the newest load.
-- `business_date` is the last local day that a row speaks of; reference data have none.
{% set month_end = add_periods("day", -1, add_periods("month", 1, "month")) %}
{% set datasets = {
    "stg_orders": "purchase_date",
    "stg_reviews": "created_date",
    "stg_customers": none,
    "stg_order_items": none,
    "stg_payments": none,
    "stg_products": none,
    "stg_sellers": none,
    "stg_geolocation": none,
} %}
{% set marts = {
    "mart_executive_kpis": "case when period_type = 'day' then period_start end",
    "mart_financial_performance": "case when not is_forecast then " ~ month_end ~ " end",
    "mart_payment_method_performance": month_end,
    "mart_logistics_performance": month_end,
    "mart_fraud_monitoring": "as_of_date",
    "mart_seller_management": "as_of_date",
    "mart_customer_strategy": "as_of_date",
    "mart_sales_forecast": "as_of_date",
    "mart_unit_economics": add_periods(
        "day", -1, add_periods("month", 1, "activity_month")
    ),
} %}

with
    reference as (select {{ as_of_date() }} as as_of_date),

    newest as (
        {% for relation, business_date in datasets.items() %}
            select
                '{{ relation }}' as relation,
                'staging' as layer,
                max(
                    {{ "cast(null as date)" if business_date is none else business_date }}
                ) as newest_business_date,
                max(_loaded_at) as newest_loaded_at,
                count(*) as row_count
            from {{ ref(relation) }}
            union all
        {% endfor %}
        {% for relation, business_date in marts.items() %}
            select
                '{{ relation }}' as relation,
                'marts' as layer,
                max({{ business_date }}) as newest_business_date,
                cast(null as timestamp) as newest_loaded_at,
                count(*) as row_count
            from {{ ref(relation) }} {{ "union all" if not loop.last }}
        {% endfor %}
    ),

    compared as (
        select
            newest.relation,
            newest.layer,
            newest.row_count,
            newest.newest_business_date,
            reference.as_of_date,
            newest.newest_loaded_at,
            max(newest.newest_loaded_at) over () as newest_load_of_all,
            {{ dbt.datediff("newest.newest_business_date", "reference.as_of_date", "day") }}
            as business_lag_days
        from newest
        cross join reference
    ),

    lagged as (
        select
            relation,
            layer,
            cast(row_count as bigint) as row_count,
            newest_business_date,
            as_of_date,
            -- What lies after the as_of_date is not late: a month ends after it.
            cast(
                case when business_lag_days < 0 then 0 else business_lag_days end as integer
            ) as business_lag_days,
            newest_loaded_at,
            {{ hours_between("newest_loaded_at", "newest_load_of_all") }} as load_lag_hours,
            {{ var("freshness_max_lag_days") }} as max_business_lag_days
        from compared
    ),

    judged as (
        select
            *,
            case
                when row_count = 0
                then 'empty'
                when business_lag_days > max_business_lag_days
                then 'stale'
                else 'fresh'
            end as freshness_status
        from lagged
    )

select *
from judged
