-- Joining items, payments and reviews to orders multiplies none of them.
with
    orders as (select * from {{ ref("stg_orders") }} where purchase_date <= {{ as_of_date() }}),

    expected as (
        select
            (select count(*) from orders) as orders,
            (
                select coalesce(sum(price), 0)
                from {{ ref("stg_order_items") }}
                where order_id in (select order_id from orders)
            ) as item_price,
            (
                select coalesce(sum(payment_value), 0)
                from {{ ref("stg_payments") }}
                where order_id in (select order_id from orders)
            ) as payment_value
    ),

    actual as (
        select
            count(*) as orders,
            sum(item_price) as item_price,
            coalesce(sum(payment_value), 0) as payment_value
        from {{ ref("int_orders") }}
    )

select expected.*, actual.orders as actual_orders
from expected
cross join actual
where
    expected.orders <> actual.orders
    or expected.item_price <> actual.item_price
    or expected.payment_value <> actual.payment_value
