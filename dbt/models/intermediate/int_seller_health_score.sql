-- Grain: one row per seller_id of stg_sellers, those who never sold included.
-- An order of several sellers counts for each of them, with that seller's items only; its delivery,
-- review and cancellation count for each of them too. Rates rest on orders, not on items.
{% set trend_days = var("seller_trend_days") %}
{% set delivery_days = var("seller_delivery_days") %}
{% set delivery_days_stddev = var("seller_delivery_days_stddev") %}
{% set full_volume = var("seller_full_volume") %}
{% set full_assortment = var("seller_full_assortment") %}
{% set minimum_orders = var("seller_minimum_orders") %}

with
    sellers as (select * from {{ ref("stg_sellers") }}),

    states as (select * from {{ ref("brazilian_states") }}),

    orders as (
        select
            order_id,
            customer_unique_id,
            order_status,
            is_valid,
            purchase_date,
            approved_at,
            shipped_at,
            is_delivered,
            is_on_time,
            delivery_days,
            review_score
        from {{ ref("int_orders") }}
    ),

    order_items as (
        select order_id, seller_id, product_id, price, freight_value, shipping_limit_at
        from {{ ref("stg_order_items") }}
    ),

    products as (select product_id, category, photos_count from {{ ref("stg_products") }}),

    category_groups as (select * from {{ ref("category_groups") }}),

    reference as (select {{ as_of_date() }} as as_of_date),

    seller_orders as (
        select
            seller_id,
            order_id,
            count(*) as items,
            sum(price) as price,
            sum(freight_value) as freight_value,
            max(shipping_limit_at) as shipping_limit_at
        from order_items
        group by seller_id, order_id
    ),

    joined as (
        select
            seller_orders.seller_id,
            seller_orders.items,
            seller_orders.price,
            seller_orders.freight_value,
            orders.customer_unique_id,
            orders.order_status,
            orders.is_valid,
            orders.purchase_date,
            orders.is_valid and orders.is_delivered as is_delivered,
            orders.is_on_time,
            case when orders.is_delivered then orders.delivery_days end as delivery_days,
            case
                when orders.is_valid and orders.shipped_at >= orders.approved_at
                then {{ days_between("orders.approved_at", "orders.shipped_at") }}
            end as handling_days,
            case
                when orders.is_valid then orders.shipped_at > seller_orders.shipping_limit_at
            end as is_late_handover,
            case when orders.is_valid then orders.review_score end as review_score,
            {{ dbt.datediff("orders.purchase_date", "reference.as_of_date", "day") }} as age_days
        from seller_orders
        inner join orders on seller_orders.order_id = orders.order_id
        cross join reference
    ),

    order_measures as (
        select
            seller_id,
            count(*) as orders_placed,
            count(case when order_status = 'canceled' then 1 end) as canceled_orders,
            count(case when is_valid then 1 end) as orders,
            count(distinct case when is_valid then customer_unique_id end) as customers,
            count(distinct case when is_valid then purchase_date end) as active_days,
            min(case when is_valid then purchase_date end) as first_order_date,
            max(case when is_valid then purchase_date end) as last_order_date,
            sum(case when is_valid then items else 0 end) as items,
            sum(case when is_valid then price else 0 end) as gmv,
            sum(case when is_valid then freight_value else 0 end) as freight_revenue,
            count(case when is_delivered then 1 end) as delivered_orders,
            count(case when is_delivered and is_on_time then 1 end) as on_time_orders,
            sum(delivery_days) as delivery_days,
            count(delivery_days) as timed_deliveries,
            stddev_samp(cast(delivery_days as double)) as delivery_days_stddev,
            sum(handling_days) as handling_days,
            count(handling_days) as timed_handovers,
            count(is_late_handover) as handovers,
            count(case when is_late_handover then 1 end) as late_handovers,
            sum(review_score) as review_scores,
            count(review_score) as reviewed_orders,
            count(
                case when review_score >= {{ var("seller_satisfied_review_score") }} then 1 end
            ) as satisfied_orders,
            count(
                case when review_score <= {{ var("seller_dissatisfied_review_score") }} then 1 end
            ) as dissatisfied_orders,
            count(case when is_valid and age_days < {{ trend_days }} then 1 end) as recent_orders,
            sum(
                case when is_valid and age_days < {{ trend_days }} then price else 0 end
            ) as recent_gmv,
            sum(
                case
                    when
                        is_valid
                        and age_days >= {{ trend_days }}
                        and age_days < {{ 2 * trend_days }}
                    then price
                    else 0
                end
            ) as previous_gmv
        from joined
        group by seller_id
    ),

    seller_products as (
        select
            order_items.seller_id,
            order_items.product_id,
            count(*) as items,
            sum(order_items.price) as price,
            sum(order_items.price * order_items.price) as squared_price
        from order_items
        inner join orders on order_items.order_id = orders.order_id
        where orders.is_valid
        group by order_items.seller_id, order_items.product_id
    ),

    product_details as (
        select
            seller_products.seller_id,
            seller_products.items,
            seller_products.price,
            coalesce(products.category, 'unknown') as category,
            coalesce(category_groups.category_group, 'Unknown') as category_group,
            products.photos_count,
            -- The variance times the squared number of units, against the tolerance likewise.
            seller_products.items * cast(seller_products.squared_price as double)
            - power(cast(seller_products.price as double), 2)
            <= power(
                {{ var("seller_price_variation_tolerance") }}
                * cast(seller_products.price as double),
                2
            ) as is_price_consistent
        from seller_products
        left join products on seller_products.product_id = products.product_id
        left join category_groups on products.category = category_groups.category
    ),

    product_measures as (
        select
            seller_id,
            count(*) as products,
            count(distinct category) as categories,
            count(distinct category_group) as category_groups,
            sum(photos_count) as photos,
            count(photos_count) as products_with_known_photos,
            sum(case when items > 1 then items end) as repeated_items,
            sum(
                case when items > 1 and is_price_consistent then items else 0 end
            ) as consistent_items
        from product_details
        group by seller_id
    ),

    top_categories as (
        select seller_id, category, sum(price) as gmv
        from product_details
        group by seller_id, category
        qualify
            row_number() over (partition by seller_id order by sum(price) desc, category asc) = 1
    ),

    measured as (
        select
            sellers.seller_id,
            sellers.state,
            sellers.region,
            states.state_tier,
            states.business_environment_score,
            reference.as_of_date,
            coalesce(order_measures.orders_placed, 0) as orders_placed,
            coalesce(order_measures.canceled_orders, 0) as canceled_orders,
            {{ ratio("order_measures.canceled_orders", "order_measures.orders_placed") }}
            as cancellation_rate,
            coalesce(order_measures.orders, 0) as orders,
            coalesce(order_measures.customers, 0) as customers,
            coalesce(order_measures.items, 0) as items,
            coalesce(order_measures.gmv, 0) as gmv,
            coalesce(order_measures.freight_revenue, 0) as freight_revenue,
            {{ ratio("order_measures.gmv", "order_measures.orders") }} as aov,
            order_measures.first_order_date,
            order_measures.last_order_date,
            {{ dbt.datediff("order_measures.last_order_date", "reference.as_of_date", "day") }}
            as days_since_last_order,
            {{ dbt.datediff("order_measures.first_order_date", "reference.as_of_date", "day") }}
            + 1 as tenure_days,
            coalesce(order_measures.active_days, 0) as active_days,
            coalesce(order_measures.delivered_orders, 0) as delivered_orders,
            {{ ratio("order_measures.on_time_orders", "order_measures.delivered_orders") }}
            as on_time_rate,
            {{ ratio("order_measures.delivery_days", "order_measures.timed_deliveries") }}
            as avg_delivery_days,
            round(order_measures.delivery_days_stddev, 6) as delivery_days_stddev,
            {{ ratio("order_measures.handling_days", "order_measures.timed_handovers") }}
            as avg_handling_days,
            coalesce(order_measures.handovers, 0) as handovers,
            {{ ratio("order_measures.late_handovers", "order_measures.handovers") }}
            as late_handover_rate,
            coalesce(order_measures.reviewed_orders, 0) as reviewed_orders,
            {{ ratio("order_measures.review_scores", "order_measures.reviewed_orders") }}
            as avg_review_score,
            {{ ratio("order_measures.satisfied_orders", "order_measures.reviewed_orders") }}
            as satisfied_share,
            {{ ratio("order_measures.dissatisfied_orders", "order_measures.reviewed_orders") }}
            as dissatisfied_share,
            coalesce(product_measures.products, 0) as products,
            coalesce(product_measures.categories, 0) as categories,
            coalesce(product_measures.category_groups, 0) as category_groups,
            {{ ratio("product_measures.photos", "product_measures.products_with_known_photos") }}
            as avg_product_photos,
            {{ ratio("product_measures.consistent_items", "product_measures.repeated_items") }}
            as price_consistency,
            top_categories.category as top_category,
            {{ ratio("top_categories.gmv", "order_measures.gmv") }} as top_category_share,
            coalesce(order_measures.recent_orders, 0) as recent_orders,
            coalesce(order_measures.recent_gmv, 0) as recent_gmv,
            coalesce(order_measures.previous_gmv, 0) as previous_gmv,
            {{
                ratio(
                    "order_measures.recent_gmv - order_measures.previous_gmv",
                    "order_measures.previous_gmv",
                )
            }} as gmv_growth
        from sellers
        cross join reference
        left join states on sellers.state = states.state
        left join order_measures on sellers.seller_id = order_measures.seller_id
        left join product_measures on sellers.seller_id = product_measures.seller_id
        left join top_categories on sellers.seller_id = top_categories.seller_id
    ),

    shares as (
        select
            measured.*,
            {{ falling_share("avg_delivery_days", delivery_days.best, delivery_days.worst) }}
            as speed_share,
            {{
                falling_share(
                    "delivery_days_stddev", delivery_days_stddev.best, delivery_days_stddev.worst
                )
            }} as steadiness_share,
            (avg_review_score - 1) / 4 as review_score_share,
            {{ log_share_of_target("orders", full_volume.orders) }} as orders_share,
            {{ log_share_of_target("customers", full_volume.customers) }} as customers_share,
            {{
                share_of_target(
                    ratio("30 * active_days", "greatest(30, tenure_days)"),
                    full_volume.active_days_per_month,
                )
            }} as activity_share,
            {{ log_share_of_target("gmv", full_volume.gmv) }} as gmv_share,
            {{ share_of_target("avg_product_photos", full_assortment.photos) }} as photos_share,
            {{ log_share_of_target("products", full_assortment.products) }} as products_share,
            {{ share_of_target("category_groups", full_assortment.category_groups) }}
            as category_groups_share
        from measured
    ),

    components as (
        select
            shares.*,
            case
                when delivered_orders > 0
                then
                    {{
                        weighted_score(
                            {
                                "on_time": "on_time_rate",
                                "speed": "speed_share",
                                "steadiness": "steadiness_share",
                                "fulfilment": "1 - cancellation_rate",
                            },
                            var("seller_delivery_weights"),
                        )
                    }}
            end as delivery_score,
            {{
                weighted_score(
                    {
                        "review_score": "review_score_share",
                        "satisfied": "satisfied_share",
                        "not_dissatisfied": "1 - dissatisfied_share",
                    },
                    var("seller_satisfaction_weights"),
                )
            }} as satisfaction_score,
            case
                when orders > 0
                then
                    {{
                        weighted_score(
                            {
                                "orders": "orders_share",
                                "customers": "customers_share",
                                "activity": "activity_share",
                                "gmv": "gmv_share",
                            },
                            var("seller_volume_weights"),
                        )
                    }}
            end as volume_score,
            case
                when orders > 0
                then
                    {{
                        weighted_score(
                            {
                                "price_consistency": "price_consistency",
                                "photos": "photos_share",
                                "products": "products_share",
                                "category_groups": "category_groups_share",
                            },
                            var("seller_quality_weights"),
                        )
                    }}
            end as quality_score
        from shares
    ),

    scored as (
        select
            components.*,
            {{
                weighted_score(
                    {
                        "delivery": "delivery_score",
                        "satisfaction": "satisfaction_score",
                        "volume": "volume_score",
                        "quality": "quality_score",
                    },
                    var("seller_health_weights"),
                    full_marks=1,
                )
            }} as health_score
        from components
    ),

    flagged as (
        select
            seller_id,
            state,
            region,
            state_tier,
            business_environment_score,
            health_score,
            case
                when orders = 0
                then 'No Sales'
                else {{ tier("health_score", var("seller_health_tiers")) }}
            end as health_tier,
            orders >= {{ minimum_orders }} as is_score_reliable,
            delivery_score,
            satisfaction_score,
            volume_score,
            quality_score,
            cast(orders_placed as integer) as orders_placed,
            cast(canceled_orders as integer) as canceled_orders,
            cancellation_rate,
            cast(orders as integer) as orders,
            cast(customers as integer) as customers,
            cast(items as integer) as items,
            cast(gmv as decimal(18, 2)) as gmv,
            cast(freight_revenue as decimal(18, 2)) as freight_revenue,
            aov,
            first_order_date,
            last_order_date,
            cast(days_since_last_order as integer) as days_since_last_order,
            cast(tenure_days as integer) as tenure_days,
            cast(active_days as integer) as active_days,
            cast(delivered_orders as integer) as delivered_orders,
            on_time_rate,
            avg_delivery_days,
            delivery_days_stddev,
            avg_handling_days,
            late_handover_rate,
            cast(reviewed_orders as integer) as reviewed_orders,
            avg_review_score,
            satisfied_share,
            dissatisfied_share,
            cast(products as integer) as products,
            cast(categories as integer) as categories,
            cast(category_groups as integer) as category_groups,
            avg_product_photos,
            price_consistency,
            top_category,
            top_category_share,
            cast(recent_orders as integer) as recent_orders,
            cast(recent_gmv as decimal(18, 2)) as recent_gmv,
            cast(previous_gmv as decimal(18, 2)) as previous_gmv,
            gmv_growth,
            case
                when orders = 0
                then null
                when days_since_last_order >= {{ trend_days }}
                then 'Inactive'
                when tenure_days <= {{ trend_days }}
                then 'New'
                when previous_gmv = 0
                then 'Returned'
                when gmv_growth > {{ var("seller_stable_growth") }}
                then 'Growing'
                when gmv_growth < -1 * {{ var("seller_stable_growth") }}
                then 'Declining'
                else 'Stable'
            end as growth_trend,
            coalesce(
                days_since_last_order > {{ var("seller_inactive_days") }}, false
            ) as is_inactive,
            coalesce(
                delivered_orders >= {{ minimum_orders }}
                and on_time_rate < {{ var("seller_low_on_time_rate") }},
                false
            ) as is_low_on_time,
            coalesce(
                reviewed_orders >= {{ minimum_orders }}
                and dissatisfied_share > {{ var("seller_high_dissatisfied_share") }},
                false
            ) as is_high_dissatisfaction,
            coalesce(
                orders_placed >= {{ minimum_orders }}
                and cancellation_rate > {{ var("seller_high_cancellation_rate") }},
                false
            ) as is_high_cancellation,
            coalesce(
                handovers >= {{ minimum_orders }}
                and late_handover_rate > {{ var("seller_high_late_handover_rate") }},
                false
            ) as is_late_handover,
            as_of_date
        from scored
    )

select *
from flagged
