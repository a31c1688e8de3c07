-- Grain: one row per order_id, order_item_id: one unit of a product in an order.
with
    source as (
        select *
        from {{ ref("base_order_items") }}
        where quarantine_reason is null and {{ in_sampled("order_id", "stg_orders") }}
    ),

    renamed as (
        select
            order_id,
            order_item_id,
            product_id,
            seller_id,
            {{ standardize_timestamp("shipping_limit_local_at") }} as shipping_limit_at,
            price,
            freight_value,
            cast(price + freight_value as decimal(18, 2)) as item_value,
            _loaded_at
        from source
    )

select *
from renamed
