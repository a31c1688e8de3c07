-- Grain: one row per purchase_month, seller_state, customer_state with a valid order's item; and
-- one with version_orders 0 of a month and customer_state that have lost their last order.
-- An order with items from two states counts in both lanes, with each lane's own price and freight
-- and with the order's one delivery: lanes add up to the nation in money, not in orders.
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
            purchase_month,
            purchase_date,
            customer_state,
            approved_at,
            shipped_at,
            delivered_at,
            is_valid,
            is_delivered,
            is_on_time,
            delivery_days,
            delay_days,
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
        select order_id, seller_id, price, freight_value
        from {{ ref("stg_order_items") }}
        where order_id in (select order_id from orders)
    ),

    sellers as (select seller_id, state from {{ ref("stg_sellers") }}),

    shipments as (
        select
            order_items.order_id,
            coalesce(sellers.state, 'Unknown') as seller_state,
            count(*) as items,
            sum(order_items.price) as price,
            sum(order_items.freight_value) as freight_value
        from order_items
        left join sellers on order_items.seller_id = sellers.seller_id
        group by order_items.order_id, coalesce(sellers.state, 'Unknown')
    ),

    joined as (
        select
            orders.purchase_month,
            shipments.seller_state,
            orders.customer_state,
            shipments.items,
            shipments.price,
            shipments.freight_value,
            orders.is_delivered,
            orders.is_delivered and orders.is_on_time as is_on_time,
            case when orders.is_delivered then orders.delivery_days end as delivery_days,
            case
                when orders.is_delivered and orders.delay_days > 0 then orders.delay_days
            end as days_late,
            case
                when orders.is_delivered and orders.shipped_at >= orders.approved_at
                then {{ days_between("orders.approved_at", "orders.shipped_at") }}
            end as handling_days,
            case
                when orders.is_delivered and orders.delivered_at >= orders.shipped_at
                then {{ days_between("orders.shipped_at", "orders.delivered_at") }}
            end as carrier_days,
            orders.review_score
        from shipments
        inner join orders on shipments.order_id = orders.order_id
    ),

    lanes as (
        select
            purchase_month,
            seller_state,
            customer_state,
            count(*) as orders,
            sum(items) as items,
            sum(price) as gmv,
            sum(freight_value) as freight_revenue,
            count(case when is_delivered then 1 end) as delivered_orders,
            count(case when is_on_time then 1 end) as on_time_orders,
            sum(case when is_delivered then price else 0 end) as delivered_gmv,
            sum(case when is_delivered then freight_value else 0 end) as delivered_freight,
            sum(delivery_days) as delivery_days,
            count(delivery_days) as timed_deliveries,
            percentile_cont(0.5) within group (
                order by cast(delivery_days as double)
            ) as median_delivery_days,
            percentile_cont(0.9) within group (
                order by cast(delivery_days as double)
            ) as p90_delivery_days,
            sum(days_late) as days_late,
            count(days_late) as late_orders,
            sum(handling_days) as handling_days,
            count(handling_days) as timed_handlings,
            sum(carrier_days) as carrier_days,
            count(carrier_days) as timed_carriages,
            sum(review_score) as review_scores,
            count(review_score) as reviewed_orders
        from joined
        group by purchase_month, seller_state, customer_state
    ),

    -- What has no item keeps a row too: it tells which orders it was made from.
    versioned as (
        select
            changed_groups.purchase_month,
            lanes.seller_state,
            changed_groups.customer_state,
            cast(coalesce(lanes.orders, 0) as integer) as orders,
            cast(lanes.items as integer) as items,
            cast(lanes.gmv as decimal(18, 2)) as gmv,
            cast(lanes.freight_revenue as decimal(18, 2)) as freight_revenue,
            cast(lanes.delivered_orders as integer) as delivered_orders,
            cast(lanes.on_time_orders as integer) as on_time_orders,
            cast(lanes.delivered_gmv as decimal(18, 2)) as delivered_gmv,
            cast(lanes.delivered_freight as decimal(18, 2)) as delivered_freight,
            cast(lanes.delivery_days as decimal(24, 6)) as delivery_days,
            cast(lanes.timed_deliveries as integer) as timed_deliveries,
            lanes.median_delivery_days,
            lanes.p90_delivery_days,
            cast(lanes.days_late as integer) as days_late,
            cast(lanes.late_orders as integer) as late_orders,
            cast(lanes.handling_days as decimal(24, 6)) as handling_days,
            cast(lanes.timed_handlings as integer) as timed_handlings,
            cast(lanes.carrier_days as decimal(24, 6)) as carrier_days,
            cast(lanes.timed_carriages as integer) as timed_carriages,
            cast(lanes.review_scores as integer) as review_scores,
            cast(lanes.reviewed_orders as integer) as reviewed_orders,
            cast(changed_groups.version_orders as integer) as version_orders,
            changed_groups.version_built_at,
            changed_groups.version_purchase_date
        from changed_groups
        left join
            lanes
            on changed_groups.purchase_month = lanes.purchase_month
            and changed_groups.customer_state = lanes.customer_state
    )

select *
from versioned
