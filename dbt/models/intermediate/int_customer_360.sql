-- Grain: one row per customer_unique_id, a person with an order up to the as_of_date.
-- Whatever is counted or summed is of the person's valid orders, but for orders_placed,
-- canceled_orders, last_placed_date and where the person lives. Without a valid order there is no
-- RFM, no segment and no churn.
{% set weights = var("rfm_weights") %}
{% set lifecycle = var("lifecycle_days") %}
{% set lift = var("churn_risk_return_lift") %}
{% set type = var("customer_type_minimums") %}
{% set engagement = var("engagement_minimum_shares") %}
{% set delivery = var("delivery_experience_rates") %}
{% set payment_risk = var("payment_risk_limits") %}

with
    facts as (select * from {{ ref("int_customer_facts") }} where version_orders > 0),

    -- The columns that people are compared by, apart: so nothing has to keep all the others.
    measures as (
        select
            customer_unique_id,
            categories,
            last_order_date,
            gmv + freight_revenue as gross_order_value
        from {{ ref("int_customer_facts") }}
        where orders > 0
    ),

    orders_of_several_categories as (
        select order_id, customer_unique_id
        from {{ ref("int_orders") }}
        where
            is_valid
            and customer_unique_id in (select customer_unique_id from measures where categories > 1)
    ),

    long_installment_orders as (
        select customer_unique_id
        from {{ ref("int_orders") }}
        where is_valid and payment_installments > {{ payment_risk["long_installments"] }}
    ),

    order_items as (select order_id, product_id from {{ ref("stg_order_items") }}),

    products as (select product_id, category from {{ ref("stg_products") }}),

    category_groups as (select * from {{ ref("category_groups") }}),

    states as (select * from {{ ref("brazilian_states") }}),

    segments as (select * from {{ ref("int_rfm_segments") }}),

    churn_features as (select * from {{ ref("int_churn_features") }}),

    churn_parameters as ({{ model_parameters("churn", ["intercept"] + churn_feature_names()) }}),

    reference as (select {{ as_of_date() }} as as_of_date),

    -- One category is one group; of several, the orders of those few people tell.
    items_of_several_categories as (
        select order_id, product_id
        from order_items
        where order_id in (select order_id from orders_of_several_categories)
    ),

    groups_of_several_categories as (
        select
            orders.customer_unique_id,
            count(distinct coalesce(category_groups.category_group, 'Unknown')) as category_groups
        from items_of_several_categories as items
        inner join orders_of_several_categories as orders on items.order_id = orders.order_id
        left join products on items.product_id = products.product_id
        left join category_groups on products.category = category_groups.category
        group by orders.customer_unique_id
    ),

    long_installments as (
        select customer_unique_id, count(*) as orders
        from long_installment_orders
        group by customer_unique_id
    ),

    -- RFM scores compare people with a valid order with one another, nobody else.
    recency_scores as ({{ rfm_scores("measures", "last_order_date") }}),

    monetary_scores as ({{ rfm_scores("measures", "gross_order_value") }}),

    scored as (
        select
            facts.*,
            coalesce(states.region, 'Unknown') as region,
            cast(states.state_tier as integer) as state_tier,
            coalesce(long_installments.orders, 0) as long_installment_orders,
            cast(
                {{ dbt.datediff("facts.last_order_date", "reference.as_of_date", "day") }}
                as integer
            ) as recency_days,
            recency_scores.score as r_score,
            case when facts.orders > 0 then cast(least(facts.orders, 5) as integer) end as f_score,
            case when facts.orders > 0 then monetary_scores.score end as m_score,
            reference.as_of_date
        from facts
        cross join reference
        left join states on facts.state = states.state
        left join
            long_installments on facts.customer_unique_id = long_installments.customer_unique_id
        left join recency_scores on facts.last_order_date = recency_scores.measure
        left join monetary_scores on facts.gmv + facts.freight_revenue = monetary_scores.measure
    ),

    churn as (
        select
            churn_features.customer_unique_id,
            {{ logistic(churn_log_odds("churn_parameters", "churn_features")) }}
            as churn_probability
        from churn_features
        cross join churn_parameters
    ),

    averages as (
        select
            {{ ratio("sum(cast(1 - churn_probability as decimal(30, 12)))", "count(*)") }}
            as avg_return_probability
        from churn
    ),

    joined as (
        select
            scored.customer_unique_id,
            scored.state,
            scored.region,
            scored.state_tier,
            scored.orders_placed,
            scored.canceled_orders,
            scored.last_placed_date,
            scored.first_order_date,
            scored.last_order_date,
            {{ period_start("month", "scored.first_order_date") }} as cohort_month,
            scored.orders,
            scored.orders > 1 as is_repeat_customer,
            scored.gmv,
            scored.freight_revenue,
            cast(scored.gmv + scored.freight_revenue as decimal(18, 2)) as gross_order_value,
            {{
                contribution_margin(
                    "scored.gmv", "scored.freight_revenue", "scored.payment_value"
                )
            }} as contribution_margin,
            {{ ratio("scored.gmv", "scored.orders_with_items") }} as aov,
            scored.first_order_gmv,
            scored.last_order_gmv,
            scored.items,
            scored.orders_with_items,
            scored.categories,
            cast(
                coalesce(groups_of_several_categories.category_groups, scored.categories) as integer
            ) as category_groups,
            scored.sellers,
            scored.favorite_category,
            scored.main_payment_type,
            scored.payment_types,
            scored.payment_value,
            {{ ratio("scored.voucher_value", "scored.payment_value") }} as voucher_share,
            {{ ratio("scored.payment_installments", "scored.paid_orders") }} as avg_installments,
            scored.max_installments,
            case
                when scored.paid_orders = 0
                then null
                when
                    {{ ratio("scored.long_installment_orders", "scored.paid_orders") }}
                    > {{ payment_risk["long_share"] }}
                then 'High'
                when scored.max_installments > {{ payment_risk["medium_installments"] }}
                then 'Medium'
                else 'Low'
            end as payment_risk,
            scored.reviews,
            scored.reviewed_orders,
            {{ ratio("scored.review_scores", "scored.reviewed_orders") }} as avg_review_score,
            case
                when scored.orders = 0
                then null
                when
                    {{ ratio("scored.commented_orders", "scored.orders") }}
                    >= {{ engagement["high_commented"] }}
                then 'High'
                when
                    {{ ratio("scored.reviewed_orders", "scored.orders") }}
                    >= {{ engagement["medium_reviewed"] }}
                then 'Medium'
                else 'Low'
            end as engagement_tier,
            scored.delivered_orders,
            {{ ratio("scored.on_time_orders", "scored.delivered_orders") }} as on_time_rate,
            {{ ratio("scored.delivery_days", "scored.timed_deliveries") }} as avg_delivery_days,
            case
                when scored.delivered_orders = 0
                then null
                when
                    {{ ratio("scored.on_time_orders", "scored.delivered_orders") }}
                    < {{ delivery["poor"] }}
                then 'Poor'
                when
                    {{ ratio("scored.on_time_orders", "scored.delivered_orders") }}
                    < {{ delivery["average"] }}
                then 'Average'
                else 'Good'
            end as delivery_experience,
            case
                when scored.orders_with_items = 0
                then null
                when
                    scored.categories >= {{ type["sophisticated_categories"] }}
                    and scored.payment_types >= {{ type["sophisticated_payment_types"] }}
                then 'Sophisticated'
                when
                    scored.categories >= {{ type["moderate"] }}
                    or scored.sellers >= {{ type["moderate"] }}
                then 'Moderate'
                else 'Simple'
            end as customer_type,
            scored.recency_days,
            cast(
                {{ dbt.datediff("scored.first_order_date", "scored.as_of_date", "day") }} as integer
            ) as tenure_days,
            cast(
                {{ dbt.datediff("scored.first_order_date", "scored.last_order_date", "day") }}
                as integer
            ) as active_days,
            {{
                ratio(
                    dbt.datediff("scored.first_order_date", "scored.last_order_date", "day"),
                    "scored.orders - 1",
                )
            }} as avg_days_between_orders,
            case
                when scored.orders = 0
                then 'No Valid Order'
                when scored.orders = 1 and scored.recency_days <= {{ lifecycle["new"] }}
                then 'New'
                when scored.orders > 1 and scored.recency_days <= {{ lifecycle["cooling"] }}
                then 'Loyal'
                when scored.recency_days <= {{ lifecycle["active"] }}
                then 'Active'
                when scored.recency_days <= {{ lifecycle["cooling"] }}
                then 'Cooling'
                when scored.recency_days <= {{ lifecycle["dormant"] }}
                then 'Dormant'
                else 'Lost'
            end as lifecycle_stage,
            scored.r_score,
            scored.f_score,
            scored.m_score,
            cast(scored.r_score as varchar)
            || cast(scored.f_score as varchar)
            || cast(scored.m_score as varchar) as rfm_code,
            cast(
                scored.r_score * {{ weights["recency"] }}
                + scored.f_score * {{ weights["frequency"] }}
                + scored.m_score * {{ weights["monetary"] }} as decimal(4, 2)
            ) as rfm_score,
            segments.segment,
            churn.churn_probability,
            case
                when churn.churn_probability is null
                then null
                when
                    1 - churn.churn_probability
                    >= {{ lift["low"] }} * averages.avg_return_probability
                then 'Low'
                when
                    1 - churn.churn_probability
                    >= {{ lift["high"] }} * averages.avg_return_probability
                then 'Medium'
                else 'High'
            end as churn_risk,
            scored.as_of_date
        from scored
        cross join averages
        left join
            groups_of_several_categories
            on scored.customer_unique_id = groups_of_several_categories.customer_unique_id
        left join
            segments
            on scored.r_score = segments.r_score
            and scored.f_score = segments.f_score
            and scored.m_score = segments.m_score
        left join churn on scored.customer_unique_id = churn.customer_unique_id
    )

select *
from joined
