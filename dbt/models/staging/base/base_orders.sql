-- Grain: one row per record of raw.orders, its newest version. Rows with a quarantine_reason
-- never reach stg_orders.
with
    source as ({{ latest_raw_versions("orders", ["order_id"]) }}),

    renamed as (
        select
            record_key,
            order_id,
            customer_id,
            lower({{ trimmed("order_status") }}) as order_status,
            {{ try_timestamp("order_purchase_timestamp") }} as purchased_local_at,
            {{ try_timestamp("order_approved_at") }} as approved_local_at,
            {{ try_timestamp("order_delivered_carrier_date") }} as shipped_local_at,
            {{ try_timestamp("order_delivered_customer_date") }} as delivered_local_at,
            cast(
                {{ try_timestamp("order_estimated_delivery_date") }} as date
            ) as estimated_delivery_date,
            _source_file,
            _source_row,
            _loaded_at,
            {{
                quarantine_reason(
                    [
                        must_be_present("order_id"),
                        must_be_identifier("order_id"),
                        must_be_present("customer_id"),
                        must_be_identifier("customer_id"),
                        must_be_present("order_status"),
                        must_be_one_of("order_status", var("order_statuses")),
                        must_be_present("order_purchase_timestamp"),
                        must_be_timestamp("order_purchase_timestamp"),
                        must_have_happened("order_purchase_timestamp"),
                        must_be_timestamp("order_approved_at"),
                        must_have_happened("order_approved_at"),
                        must_be_timestamp("order_delivered_carrier_date"),
                        must_have_happened("order_delivered_carrier_date"),
                        must_be_timestamp("order_delivered_customer_date"),
                        must_have_happened("order_delivered_customer_date"),
                        must_be_present("order_estimated_delivery_date"),
                        must_be_timestamp("order_estimated_delivery_date"),
                    ]
                )
            }} as quarantine_reason
        from source
    ),

    -- Here and not in the view behind it: a moment is found once, when its record is loaded.
    derived as (
        select
            renamed.*,
            {{ standardize_timestamp("purchased_local_at") }} as purchased_at,
            {{ standardize_timestamp("approved_local_at") }} as approved_at,
            {{ standardize_timestamp("shipped_local_at") }} as shipped_at,
            {{ standardize_timestamp("delivered_local_at") }} as delivered_at
        from renamed
    )

select *
from derived
