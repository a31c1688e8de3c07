-- Grain: one row per month, customer_state, seller_state, category with a valid order's item.
with
    orders as (select * from {{ ref("int_orders") }} where is_valid),

    order_items as (select * from {{ ref("stg_order_items") }}),

    products as (select * from {{ ref("stg_products") }}),

    sellers as (select * from {{ ref("stg_sellers") }}),

    joined as (
        select
            orders.purchase_month as month,
            orders.customer_state,
            orders.customer_region,
            coalesce(sellers.state, 'Unknown') as seller_state,
            coalesce(sellers.region, 'Unknown') as seller_region,
            coalesce(products.category, 'unknown') as category,
            orders.order_id,
            orders.customer_unique_id,
            order_items.price,
            order_items.freight_value
        from order_items
        inner join orders on order_items.order_id = orders.order_id
        left join products on order_items.product_id = products.product_id
        left join sellers on order_items.seller_id = sellers.seller_id
    ),

    aggregated as (
        select
            month,
            customer_state,
            customer_region,
            seller_state,
            seller_region,
            category,
            count(distinct order_id) as orders,
            count(distinct customer_unique_id) as customers,
            count(*) as items,
            sum(price) as gmv,
            sum(freight_value) as freight_revenue
        from joined
        group by month, customer_state, customer_region, seller_state, seller_region, category
    ),

    measured as (
        select
            aggregated.month,
            aggregated.customer_state,
            aggregated.seller_state,
            aggregated.category,
            aggregated.customer_region,
            aggregated.seller_region,
            aggregated.customer_state <> aggregated.seller_state as is_cross_state,
            aggregated.customer_region <> aggregated.seller_region as is_cross_region,
            {{ is_complete_period("month", "aggregated.month") }} as is_complete,
            cast(aggregated.orders as integer) as orders,
            cast(aggregated.customers as integer) as customers,
            cast(aggregated.items as integer) as items,
            cast(aggregated.gmv as decimal(18, 2)) as gmv,
            cast(aggregated.freight_revenue as decimal(18, 2)) as freight_revenue,
            cast(aggregated.gmv + aggregated.freight_revenue as decimal(18, 2)) as gross_order_value
        from aggregated
    ),

    grown as (
        select
            measured.month,
            measured.customer_state,
            measured.seller_state,
            measured.category,
            measured.customer_region,
            measured.seller_region,
            measured.is_cross_state,
            measured.is_cross_region,
            measured.is_complete,
            measured.orders,
            measured.customers,
            measured.items,
            measured.gmv,
            measured.freight_revenue,
            measured.gross_order_value,
            {{ growth("measured", "previous", "gmv") }} as gmv_mom_growth
        from measured
        left join
            measured as previous
            on measured.customer_state = previous.customer_state
            and measured.seller_state = previous.seller_state
            and measured.category = previous.category
            and previous.month = {{ add_periods("month", -1, "measured.month") }}
    )

select *
from grown
