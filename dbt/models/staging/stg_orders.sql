-- Grain: one row per order_id. Moments (`_at`) are UTC; dates, hours and weekdays are local.
with
    source as (
        select *
        from {{ ref("base_orders") }}
        where quarantine_reason is null and {{ in_sampled("customer_id", "stg_customers") }}
    ),

    renamed as (
        select
            order_id,
            customer_id,
            order_status,
            {{ standardize_timestamp("purchased_local_at") }} as purchased_at,
            {{ standardize_timestamp("approved_local_at") }} as approved_at,
            {{ standardize_timestamp("shipped_local_at") }} as shipped_at,
            {{ standardize_timestamp("delivered_local_at") }} as delivered_at,
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
            delivered_date,
            order_status not in ('{{ var("invalid_order_statuses") | join("', '") }}') as is_valid,
            order_status = 'delivered' and delivered_at is not null as is_delivered,
            case
                when order_status = 'delivered' then delivered_date <= estimated_delivery_date
            end as is_on_time,
            -- A delivery before its purchase is a fault of the source: it lasted no number of days.
            case
                when order_status = 'delivered' and delivered_at >= purchased_at
                then {{ days_between("purchased_at", "delivered_at") }}
            end as delivery_days,
            coalesce(
                approved_at < purchased_at
                or shipped_at < approved_at
                or delivered_at < shipped_at
                or delivered_at < purchased_at,
                false
            ) as has_impossible_timestamps,
            _loaded_at
        from renamed
    )

select *
from derived
