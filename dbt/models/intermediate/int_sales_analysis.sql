-- Grain: one row per month, customer_state, seller_state, category with a valid order's item.
-- An order counts in every cell it has an item of, with that cell's items; its delivery and its
-- review
-- count in each of them.
with
    orders as (
        select
            order_id,
            customer_unique_id,
            customer_state,
            customer_region,
            purchase_month,
            is_delivered,
            is_on_time,
            review_score
        from {{ ref("int_orders") }}
        where is_valid
    ),

    order_items as (
        select order_id, product_id, seller_id, price, freight_value
        from {{ ref("stg_order_items") }}
    ),

    products as (select product_id, category from {{ ref("stg_products") }}),

    sellers as (select seller_id, state, region from {{ ref("stg_sellers") }}),

    category_groups as (select * from {{ ref("category_groups") }}),

    baskets as (
        select
            order_items.order_id,
            coalesce(sellers.state, 'Unknown') as seller_state,
            coalesce(sellers.region, 'Unknown') as seller_region,
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
            coalesce(sellers.region, 'Unknown'),
            coalesce(products.category, 'unknown')
    ),

    joined as (
        select
            orders.purchase_month as month,
            orders.customer_state,
            orders.customer_region,
            baskets.seller_state,
            baskets.seller_region,
            baskets.category,
            orders.customer_unique_id,
            orders.is_delivered,
            orders.is_on_time,
            orders.review_score,
            baskets.items,
            baskets.price,
            baskets.freight_value
        from baskets
        inner join orders on baskets.order_id = orders.order_id
    ),

    aggregated as (
        select
            month,
            customer_state,
            customer_region,
            seller_state,
            seller_region,
            category,
            count(*) as orders,
            count(distinct customer_unique_id) as customers,
            sum(items) as items,
            sum(price) as gmv,
            sum(freight_value) as freight_revenue,
            count(case when is_delivered then 1 end) as delivered_orders,
            count(case when is_delivered and is_on_time then 1 end) as on_time_orders,
            sum(review_score) as review_scores,
            count(review_score) as reviewed_orders
        from joined
        group by month, customer_state, customer_region, seller_state, seller_region, category
    ),

    totals as (
        select
            aggregated.*,
            sum(gmv) over (partition by month) as month_gmv,
            sum(gmv) over (partition by month, category) as month_category_gmv,
            sum(gmv) over (partition by month, customer_state) as month_customer_state_gmv
        from aggregated
    ),

    measured as (
        select
            totals.month,
            totals.customer_state,
            totals.seller_state,
            totals.category,
            coalesce(category_groups.category_group, 'Unknown') as category_group,
            totals.customer_region,
            totals.seller_region,
            totals.customer_state <> totals.seller_state as is_cross_state,
            totals.customer_region <> totals.seller_region as is_cross_region,
            {{ is_complete_period("month", "totals.month") }} as is_complete,
            cast(totals.orders as integer) as orders,
            cast(totals.customers as integer) as customers,
            cast(totals.items as integer) as items,
            cast(totals.gmv as decimal(18, 2)) as gmv,
            cast(totals.freight_revenue as decimal(18, 2)) as freight_revenue,
            cast(totals.gmv + totals.freight_revenue as decimal(18, 2)) as gross_order_value,
            {{ ratio("totals.gmv", "totals.orders") }} as aov,
            {{ ratio("totals.gmv", "totals.items") }} as avg_item_price,
            {{ ratio("totals.freight_revenue", "totals.gmv + totals.freight_revenue") }}
            as freight_share,
            {{ ratio("totals.gmv", "totals.month_gmv") }} as gmv_share_of_month,
            {{ ratio("totals.gmv", "totals.month_category_gmv") }} as gmv_share_of_category,
            {{ ratio("totals.gmv", "totals.month_customer_state_gmv") }}
            as gmv_share_of_customer_state,
            cast(totals.delivered_orders as integer) as delivered_orders,
            cast(totals.on_time_orders as integer) as on_time_orders,
            {{ ratio("totals.on_time_orders", "totals.delivered_orders") }} as on_time_rate,
            cast(totals.reviewed_orders as integer) as reviewed_orders,
            {{ ratio("totals.review_scores", "totals.reviewed_orders") }} as avg_review_score,
            {{ tier("totals.month_customer_state_gmv", var("market_tiers")) }} as market_tier
        from totals
        left join category_groups on totals.category = category_groups.category
    ),

    grown as (
        select
            measured.*,
            {{ tier("measured.on_time_rate", var("sales_delivery_tiers")) }} as delivery_tier,
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
