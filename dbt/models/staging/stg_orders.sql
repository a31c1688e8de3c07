-- Grain: one row per order_id. Moments (`_at`) are UTC; dates, hours and weekdays are local.
{% set parts_of_day = var("time_of_day_starts") %}
{% set checks = [
    {"name": "timestamps_are_in_order", "passed": "not has_impossible_timestamps"},
    {
        "name": "approval_is_known",
        "passed": "approved_at is not null or order_status in ('created', 'canceled', 'unavailable')",
    },
    {
        "name": "handover_is_known",
        "passed": "shipped_at is not null or order_status not in ('shipped', 'delivered')",
    },
    {
        "name": "delivery_is_known",
        "passed": "delivered_at is not null or order_status <> 'delivered'",
    },
    {
        "name": "delivery_agrees_with_status",
        "passed": "delivered_at is null or order_status = 'delivered'",
    },
    {
        "name": "promise_follows_purchase",
        "passed": "estimated_delivery_date >= purchase_date",
    },
] %}

with
    source as (
        select *
        from {{ ref("base_orders") }}
        where quarantine_reason is null and {{ in_sampled("customer_id", "stg_customers") }}
    ),

    weekdays as (select * from {{ ref("weekdays") }}),

    renamed as (
        select
            order_id,
            customer_id,
            order_status,
            purchased_at,
            approved_at,
            shipped_at,
            delivered_at,
            estimated_delivery_date,
            cast(purchased_local_at as date) as purchase_date,
            {{ period_start("month", "purchased_local_at") }} as purchase_month,
            {{ iso_weekday("purchased_local_at") }} as purchase_weekday,
            cast(extract(hour from purchased_local_at) as integer) as purchase_hour,
            cast(delivered_local_at as date) as delivered_date,
            _loaded_at
        from source
    ),

    derived as (
        select
            order_id,
            customer_id,
            order_status,
            purchased_at,
            approved_at,
            shipped_at,
            delivered_at,
            estimated_delivery_date,
            purchase_date,
            purchase_month,
            purchase_weekday,
            purchase_hour,
            case
                when purchase_hour >= {{ parts_of_day["Evening"] }}
                then 'Evening'
                when purchase_hour >= {{ parts_of_day["Afternoon"] }}
                then 'Afternoon'
                when purchase_hour >= {{ parts_of_day["Morning"] }}
                then 'Morning'
                else 'Night'
            end as purchase_time_of_day,
            delivered_date,
            order_status not in ('{{ var("invalid_order_statuses") | join("', '") }}') as is_valid,
            order_status = 'delivered' and delivered_at is not null as is_delivered,
            case
                when order_status = 'delivered' then delivered_date <= estimated_delivery_date
            end as is_on_time,
            -- What lies before the event it must follow is a fault of the source: it lasted no
            -- time.
            case
                when approved_at >= purchased_at
                then {{ hours_between("purchased_at", "approved_at") }}
            end as approval_hours,
            case
                when shipped_at >= approved_at then {{ hours_between("approved_at", "shipped_at") }}
            end as handover_hours,
            case
                when order_status = 'delivered' and delivered_at >= shipped_at
                then {{ days_between("shipped_at", "delivered_at") }}
            end as transit_days,
            case
                when order_status = 'delivered' and delivered_at >= purchased_at
                then {{ days_between("purchased_at", "delivered_at") }}
            end as delivery_days,
            case
                when order_status = 'delivered'
                then
                    cast(
                        {{ dbt.datediff("estimated_delivery_date", "delivered_date", "day") }}
                        as integer
                    )
            end as delay_days,
            coalesce(
                approved_at < purchased_at
                or shipped_at < approved_at
                or delivered_at < shipped_at
                or delivered_at < purchased_at,
                false
            ) as has_impossible_timestamps,
            _loaded_at
        from renamed
    ),

    joined as (
        select
            derived.order_id,
            derived.customer_id,
            derived.order_status,
            derived.purchased_at,
            derived.approved_at,
            derived.shipped_at,
            derived.delivered_at,
            derived.estimated_delivery_date,
            derived.purchase_date,
            derived.purchase_month,
            derived.purchase_weekday,
            weekdays.weekday_name as purchase_weekday_name,
            weekdays.is_weekend as is_weekend_purchase,
            derived.purchase_hour,
            derived.purchase_time_of_day,
            derived.delivered_date,
            derived.is_valid,
            derived.is_delivered,
            derived.is_on_time,
            derived.approval_hours,
            derived.handover_hours,
            derived.transit_days,
            derived.delivery_days,
            derived.delay_days,
            derived.has_impossible_timestamps,
            {{ data_quality_score(checks) }} as data_quality_score,
            {{ failed_checks(checks) }} as failed_checks,
            derived._loaded_at
        from derived
        left join weekdays on derived.purchase_weekday = weekdays.weekday
    )

select *
from joined
