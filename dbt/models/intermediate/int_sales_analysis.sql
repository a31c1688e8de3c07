-- Grain: one row per month, customer_state, seller_state, category with a valid order's item.
-- An order counts in every cell it has an item of, with that cell's items; its delivery and its
-- review count in each of them.
with
    cells as (select * from {{ ref("int_sales_cells") }} where orders > 0),

    states as (select state, region from {{ ref("brazilian_states") }}),

    category_groups as (select * from {{ ref("category_groups") }}),

    aggregated as (
        select
            cells.purchase_month as month,
            cells.customer_state,
            coalesce(customer_states.region, 'Unknown') as customer_region,
            cells.seller_state,
            coalesce(seller_states.region, 'Unknown') as seller_region,
            cells.category,
            cells.orders,
            cells.customers,
            cells.items,
            cells.gmv,
            cells.freight_revenue,
            cells.delivered_orders,
            cells.on_time_orders,
            cells.review_scores,
            cells.reviewed_orders
        from cells
        left join states as customer_states on cells.customer_state = customer_states.state
        left join states as seller_states on cells.seller_state = seller_states.state
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
