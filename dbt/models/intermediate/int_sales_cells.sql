-- Grain: one row per month, customer_state, seller_state, category with a valid order's item; and
-- one with version_orders 0 of a month and customer_state that have lost their last order.
-- An order counts in every cell it has an item of, with that cell's items; its delivery and its
-- review count in each of them. Nothing here depends on a seed: int_sales_analysis adds them.
{{
    config(
        materialized="incremental",
        incremental_strategy="delete+insert",
        unique_key=["purchase_month", "customer_state"],
        cluster_by=["purchase_month"],
    )
}}

with
    all_orders as (
        select
            order_id,
            customer_unique_id,
            customer_state,
            purchase_month,
            purchase_date,
            is_valid,
            is_delivered,
            is_on_time,
            review_score,
            built_at
        from {{ ref("int_orders") }}
    ),

    changed_groups as ({{ changed_keys("all_orders", ["purchase_month", "customer_state"]) }}),

    orders as (
        select all_orders.*
        from all_orders
        inner join
            changed_groups
            on all_orders.purchase_month = changed_groups.purchase_month
            and all_orders.customer_state = changed_groups.customer_state
        where all_orders.is_valid
    ),

    order_items as (
        select order_id, product_id, seller_id, price, freight_value
        from {{ ref("stg_order_items") }}
        where order_id in (select order_id from orders)
    ),

    products as (select product_id, category from {{ ref("stg_products") }}),

    sellers as (select seller_id, state from {{ ref("stg_sellers") }}),

    baskets as (
        select
            order_items.order_id,
            coalesce(sellers.state, 'Unknown') as seller_state,
            coalesce(products.category, 'unknown') as category,
            count(*) as items,
            sum(order_items.price) as price,
            sum(order_items.freight_value) as freight_value
        from order_items
        left join products on order_items.product_id = products.product_id
        left join sellers on order_items.seller_id = sellers.seller_id
        group by
            order_items.order_id,
            coalesce(sellers.state, 'Unknown'),
            coalesce(products.category, 'unknown')
    ),

    aggregated as (
        select
            orders.purchase_month,
            orders.customer_state,
            baskets.seller_state,
            baskets.category,
            count(*) as orders,
            count(distinct orders.customer_unique_id) as customers,
            sum(baskets.items) as items,
            sum(baskets.price) as gmv,
            sum(baskets.freight_value) as freight_revenue,
            count(case when orders.is_delivered then 1 end) as delivered_orders,
            count(case when orders.is_delivered and orders.is_on_time then 1 end) as on_time_orders,
            sum(orders.review_score) as review_scores,
            count(orders.review_score) as reviewed_orders
        from baskets
        inner join orders on baskets.order_id = orders.order_id
        group by
            orders.purchase_month, orders.customer_state, baskets.seller_state, baskets.category
    ),

    -- What has no item keeps a row too: it tells which orders it was made from.
    joined as (
        select
            changed_groups.purchase_month,
            changed_groups.customer_state,
            aggregated.seller_state,
            aggregated.category,
            cast(coalesce(aggregated.orders, 0) as integer) as orders,
            cast(coalesce(aggregated.customers, 0) as integer) as customers,
            cast(coalesce(aggregated.items, 0) as integer) as items,
            cast(coalesce(aggregated.gmv, 0) as decimal(18, 2)) as gmv,
            cast(coalesce(aggregated.freight_revenue, 0) as decimal(18, 2)) as freight_revenue,
            cast(coalesce(aggregated.delivered_orders, 0) as integer) as delivered_orders,
            cast(coalesce(aggregated.on_time_orders, 0) as integer) as on_time_orders,
            cast(coalesce(aggregated.review_scores, 0) as integer) as review_scores,
            cast(coalesce(aggregated.reviewed_orders, 0) as integer) as reviewed_orders,
            cast(changed_groups.version_orders as integer) as version_orders,
            changed_groups.version_built_at,
            changed_groups.version_purchase_date
        from changed_groups
        left join
            aggregated
            on changed_groups.purchase_month = aggregated.purchase_month
            and changed_groups.customer_state = aggregated.customer_state
    )

select *
from joined
