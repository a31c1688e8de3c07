-- Grain: one row per order_id, order_item_id: one unit of a product in an order.
{% set checks = [
    {"name": "price_is_above_zero", "passed": "price > 0"},
    {
        "name": "price_is_plausible",
        "passed": "price <= " ~ var("plausible_maximum_price"),
    },
    {
        "name": "freight_is_plausible",
        "passed": "freight_value <= " ~ var("plausible_maximum_freight"),
    },
    {"name": "shipping_limit_is_known", "passed": "shipping_limit_at is not null"},
] %}

with
    source as (
        select *
        from {{ ref("base_order_items") }}
        where quarantine_reason is null and {{ in_sampled("order_id", "stg_orders") }}
    ),

    renamed as (
        select
            {{ surrogate_key(["order_id", "order_item_id"]) }} as order_item_key,
            order_id,
            order_item_id,
            product_id,
            seller_id,
            shipping_limit_at,
            price,
            freight_value,
            cast(price + freight_value as decimal(18, 2)) as item_value,
            {{ ratio("freight_value", "price") }} as freight_ratio,
            freight_value = 0 as is_free_freight,
            price = 0 as is_free_item,
            _loaded_at
        from source
    ),

    scored as (
        select
            order_item_key,
            order_id,
            order_item_id,
            product_id,
            seller_id,
            shipping_limit_at,
            price,
            freight_value,
            item_value,
            freight_ratio,
            is_free_freight,
            is_free_item,
            {{ data_quality_score(checks) }} as data_quality_score,
            {{ failed_checks(checks) }} as failed_checks,
            _loaded_at
        from renamed
    )

select *
from scored
