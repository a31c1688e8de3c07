-- Grain: one row per order_id purchased on or before the as_of_date. Items, payments and reviews
-- are
-- brought to this grain before any join, so that none of them can multiply another.
with
    orders as (select * from {{ ref("stg_orders") }} where purchase_date <= {{ as_of_date() }}),

    customers as (select * from {{ ref("stg_customers") }}),

    items as (
        select
            order_id,
            count(*) as items,
            count(distinct seller_id) as sellers,
            sum(price) as price,
            sum(freight_value) as freight_value
        from {{ ref("stg_order_items") }}
        group by order_id
    ),

    payments as (
        select order_id, sum(payment_value) as payment_value
        from {{ ref("stg_payments") }}
        group by order_id
    ),

    latest_reviews as (
        select order_id, review_score
        from {{ ref("stg_reviews") }}
        qualify
            row_number() over (
                partition by order_id
                order by created_at desc, answered_at desc nulls last, review_id desc
            )
            = 1
    ),

    joined as (
        select
            orders.order_id,
            orders.customer_id,
            customers.customer_unique_id,
            coalesce(customers.state, 'Unknown') as customer_state,
            coalesce(customers.region, 'Unknown') as customer_region,
            orders.order_status,
            orders.is_valid,
            orders.purchased_at,
            orders.purchase_date,
            orders.purchase_month,
            orders.is_delivered,
            orders.is_on_time,
            orders.delivery_days,
            cast(coalesce(items.items, 0) as integer) as items,
            cast(coalesce(items.sellers, 0) as integer) as sellers,
            cast(coalesce(items.price, 0) as decimal(18, 2)) as item_price,
            cast(coalesce(items.freight_value, 0) as decimal(18, 2)) as freight_value,
            cast(
                case when orders.is_valid then coalesce(items.price, 0) else 0 end as decimal(18, 2)
            ) as gmv,
            cast(
                case
                    when orders.is_valid then coalesce(items.freight_value, 0) else 0
                end as decimal(18, 2)
            ) as freight_revenue,
            cast(payments.payment_value as decimal(18, 2)) as payment_value,
            cast(
                payments.payment_value
                - coalesce(items.price, 0)
                - coalesce(items.freight_value, 0) as decimal(18, 2)
            ) as payment_gap,
            latest_reviews.review_score
        from orders
        left join customers on orders.customer_id = customers.customer_id
        left join items on orders.order_id = items.order_id
        left join payments on orders.order_id = payments.order_id
        left join latest_reviews on orders.order_id = latest_reviews.order_id
    )

select *
from joined
