-- Grain: one row per record of raw.order_items, its newest version. Rows with a quarantine_reason
-- never reach stg_order_items.
with
    source as ({{ latest_raw_versions("order_items", ["order_id", "order_item_id"]) }}),

    renamed as (
        select
            record_key,
            order_id,
            {{ try_integer("order_item_id") }} as order_item_id,
            product_id,
            seller_id,
            {{ try_timestamp("shipping_limit_date") }} as shipping_limit_local_at,
            {{ try_decimal("price") }} as price,
            {{ try_decimal("freight_value") }} as freight_value,
            _source_file,
            _source_row,
            _loaded_at,
            {{
                quarantine_reason(
                    [
                        must_be_present("order_id"),
                        must_be_identifier("order_id"),
                        must_be_present("order_item_id"),
                        must_be_whole_number("order_item_id", 1),
                        must_be_present("product_id"),
                        must_be_identifier("product_id"),
                        must_be_present("seller_id"),
                        must_be_identifier("seller_id"),
                        must_be_timestamp("shipping_limit_date"),
                        must_be_present("price"),
                        must_be_amount("price"),
                        must_be_present("freight_value"),
                        must_be_amount("freight_value"),
                    ]
                )
            }} as quarantine_reason
        from source
    ),

    -- Here and not in the view behind it: a moment is found once, when its record is loaded.
    derived as (
        select
            renamed.*, {{ standardize_timestamp("shipping_limit_local_at") }} as shipping_limit_at
        from renamed
    )

select *
from derived
