-- Grain: one row per month of purchase, seller_state, customer_state with a valid order's item.
-- An order with items from two states counts in both lanes, with each lane's own price and freight
-- and with the order's one delivery: lanes add up to the nation in money, not in orders.
{% set average_months = var("logistics_average_months") %}

with
    lanes as (
        select *, purchase_month as month from {{ ref("int_logistics_lanes") }} where orders > 0
    ),

    orders as (
        select purchase_month, is_delivered, is_on_time, delivery_days
        from {{ ref("int_orders") }}
        where is_valid
    ),

    states as (select state, region from {{ ref("brazilian_states") }}),

    -- Of doubles: the mean of two decimals has a place more than they, which DuckDB cuts off and
    -- Snowflake keeps.
    centroids as (
        select
            state,
            median(cast(latitude as double)) as latitude,
            median(cast(longitude as double)) as longitude
        from {{ ref("stg_geolocation") }}
        group by state
    ),

    -- Every order once, whatever states its items come from.
    national as (
        select
            purchase_month as month,
            count(case when is_on_time then 1 end) as on_time_orders,
            count(*) as delivered_orders,
            sum(delivery_days) as delivery_days,
            count(delivery_days) as timed_deliveries
        from orders
        where is_delivered
        group by purchase_month
    ),

    -- Calendar months, not the lane's latest rows: a month without an order is no older month.
    recent as (
        select
            lanes.month,
            lanes.seller_state,
            lanes.customer_state,
            sum(former.on_time_orders) as on_time_orders,
            sum(former.delivered_orders) as delivered_orders,
            sum(former.delivery_days) as delivery_days,
            sum(former.timed_deliveries) as timed_deliveries
        from lanes
        inner join
            lanes as former
            on lanes.seller_state = former.seller_state
            and lanes.customer_state = former.customer_state
            and former.month <= lanes.month
            and former.month > {{ add_periods("month", -1 * average_months, "lanes.month") }}
        group by lanes.month, lanes.seller_state, lanes.customer_state
    ),

    distances as (
        select
            origin.state as seller_state,
            destination.state as customer_state,
            {{
                haversine_km(
                    "origin.latitude",
                    "origin.longitude",
                    "destination.latitude",
                    "destination.longitude",
                )
            }} as distance_km
        from centroids as origin
        cross join centroids as destination
    ),

    measured as (
        select
            lanes.month,
            lanes.seller_state,
            lanes.customer_state,
            coalesce(seller_states.region, 'Unknown') as seller_region,
            coalesce(customer_states.region, 'Unknown') as customer_region,
            lanes.seller_state <> lanes.customer_state as is_cross_state,
            distances.distance_km,
            {{ is_complete_period("month", "lanes.month") }} as is_complete,
            lanes.orders,
            lanes.items,
            lanes.gmv,
            lanes.freight_revenue,
            lanes.delivered_orders,
            lanes.on_time_orders,
            lanes.delivered_freight,
            {{ ratio("lanes.on_time_orders", "lanes.delivered_orders") }} as on_time_rate,
            {{ ratio("lanes.delivery_days", "lanes.timed_deliveries") }} as avg_delivery_days,
            round(lanes.median_delivery_days, 6) as median_delivery_days,
            round(lanes.p90_delivery_days, 6) as p90_delivery_days,
            lanes.late_orders,
            {{ ratio("lanes.days_late", "lanes.late_orders") }} as avg_days_late,
            {{ ratio("lanes.handling_days", "lanes.timed_handlings") }} as avg_handling_days,
            {{ ratio("lanes.carrier_days", "lanes.timed_carriages") }} as avg_carrier_days,
            {{ ratio("lanes.delivered_freight", "lanes.delivered_orders") }} as avg_freight,
            {{ ratio("lanes.delivered_freight", "lanes.delivered_gmv") }} as freight_share_of_price,
            {{ ratio("lanes.review_scores", "lanes.reviewed_orders") }} as avg_review_score,
            {{ ratio("national.on_time_orders", "national.delivered_orders") }}
            as national_on_time_rate,
            {{ ratio("national.delivery_days", "national.timed_deliveries") }}
            as national_avg_delivery_days,
            {{ ratio("recent.on_time_orders", "recent.delivered_orders") }}
            as on_time_rate_moving_average,
            {{ ratio("recent.delivery_days", "recent.timed_deliveries") }}
            as delivery_days_moving_average
        from lanes
        inner join
            recent
            on lanes.month = recent.month
            and lanes.seller_state = recent.seller_state
            and lanes.customer_state = recent.customer_state
        left join national on lanes.month = national.month
        left join states as seller_states on lanes.seller_state = seller_states.state
        left join states as customer_states on lanes.customer_state = customer_states.state
        left join
            distances
            on lanes.seller_state = distances.seller_state
            and lanes.customer_state = distances.customer_state
    ),

    judged as (
        select
            measured.*,
            on_time_rate - national_on_time_rate as on_time_rate_delta,
            avg_delivery_days - national_avg_delivery_days as delivery_days_delta,
            case
                when delivered_orders > 0
                then {{ tier("on_time_rate", var("logistics_performance_tiers")) }}
            end as performance_tier
        from measured
    ),

    flagged as (
        select
            month,
            seller_state,
            customer_state,
            seller_region,
            customer_region,
            is_cross_state,
            seller_region <> customer_region as is_cross_region,
            distance_km,
            is_complete,
            cast(orders as integer) as orders,
            cast(items as integer) as items,
            cast(gmv as decimal(18, 2)) as gmv,
            cast(freight_revenue as decimal(18, 2)) as freight_revenue,
            cast(delivered_orders as integer) as delivered_orders,
            cast(on_time_orders as integer) as on_time_orders,
            cast(late_orders as integer) as late_orders,
            cast(delivered_freight as decimal(18, 2)) as delivered_freight,
            on_time_rate,
            avg_delivery_days,
            median_delivery_days,
            p90_delivery_days,
            avg_days_late,
            avg_handling_days,
            avg_carrier_days,
            avg_freight,
            freight_share_of_price,
            avg_review_score,
            national_on_time_rate,
            on_time_rate_delta,
            delivery_days_delta,
            on_time_rate_moving_average,
            delivery_days_moving_average,
            performance_tier,
            case
                when delivered_orders >= {{ var("logistics_minimum_orders") }}
                then
                    performance_tier = 'Poor'
                    or on_time_rate_delta <= -1 * {{ var("logistics_attention_delta") }}
            end as needs_attention
        from judged
    )

select *
from flagged
