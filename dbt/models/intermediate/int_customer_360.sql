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
    orders as (select * from {{ ref("int_orders") }} where customer_unique_id is not null),

    order_items as (select * from {{ ref("stg_order_items") }}),

    payments as (select * from {{ ref("stg_payments") }}),

    products as (select * from {{ ref("stg_products") }}),

    category_groups as (select * from {{ ref("category_groups") }}),

    states as (select * from {{ ref("brazilian_states") }}),

    segments as (select * from {{ ref("int_rfm_segments") }}),

    churn_features as (select * from {{ ref("int_churn_features") }}),

    churn_parameters as ({{ model_parameters("churn", ["intercept"] + churn_feature_names()) }}),

    reference as (select {{ as_of_date() }} as as_of_date),

    -- Only people with several orders have a first and a latest one to find: few, and ranking is
    -- dear.
    several_orders as (
        select customer_unique_id from orders group by customer_unique_id having count(*) > 1
    ),

    ranks as (
        select
            order_id,
            row_number() over (
                partition by customer_unique_id order by purchased_at desc, order_id desc
            ) as recent_rank,
            row_number() over (
                partition by customer_unique_id, is_valid order by purchased_at desc, order_id desc
            ) as recent_rank_by_validity,
            row_number() over (
                partition by customer_unique_id, is_valid order by purchased_at asc, order_id asc
            ) as rank_by_validity
        from orders
        where customer_unique_id in (select customer_unique_id from several_orders)
    ),

    ranked as (
        select
            orders.*,
            {{
                contribution_margin(
                    "orders.gmv", "orders.freight_revenue", "orders.payment_value"
                )
            }} as contribution_margin,
            coalesce(ranks.recent_rank, 1) as recent_rank,
            coalesce(ranks.recent_rank_by_validity, 1) as recent_rank_by_validity,
            coalesce(ranks.rank_by_validity, 1) as rank_by_validity
        from orders
        left join ranks on orders.order_id = ranks.order_id
    ),

    people as (
        select
            customer_unique_id,
            max(case when recent_rank = 1 then customer_state end) as state,
            max(case when recent_rank = 1 then customer_region end) as region,
            count(*) as orders_placed,
            count(case when order_status = 'canceled' then 1 end) as canceled_orders,
            max(purchase_date) as last_placed_date,
            count(case when is_valid then 1 end) as orders,
            min(case when is_valid then purchase_date end) as first_order_date,
            max(case when is_valid then purchase_date end) as last_order_date,
            sum(gmv) as gmv,
            sum(freight_revenue) as freight_revenue,
            sum(case when is_valid then contribution_margin else 0 end) as contribution_margin,
            sum(case when is_valid then items else 0 end) as items,
            count(case when is_valid and items > 0 then 1 end) as orders_with_items,
            max(case when is_valid then sellers end) as sellers_of_an_order,
            max(case when is_valid and rank_by_validity = 1 then gmv end) as first_order_gmv,
            max(case when is_valid and recent_rank_by_validity = 1 then gmv end) as last_order_gmv,
            count(case when is_valid then payment_value end) as paid_orders,
            sum(case when is_valid then payment_installments end) as payment_installments,
            max(case when is_valid then payment_installments end) as max_installments,
            count(
                case
                    when is_valid and payment_installments > {{ payment_risk["long_installments"] }}
                    then 1
                end
            ) as long_installment_orders,
            count(case when is_valid then review_score end) as reviewed_orders,
            count(case when is_valid and has_review_comment then 1 end) as commented_orders,
            sum(case when is_valid then review_score end) as review_scores,
            sum(case when is_valid then reviews else 0 end) as reviews,
            count(case when is_valid and is_delivered then 1 end) as delivered_orders,
            count(case when is_valid and is_delivered and is_on_time then 1 end) as on_time_orders,
            sum(case when is_valid and is_delivered then delivery_days end) as delivery_days,
            count(case when is_valid and is_delivered then delivery_days end) as timed_deliveries
        from ranked
        group by customer_unique_id
    ),

    -- What they bought.
    categories as (
        select
            orders.customer_unique_id,
            coalesce(products.category, 'unknown') as category,
            count(*) as items,
            sum(order_items.price) as price
        from order_items
        inner join orders on order_items.order_id = orders.order_id
        left join products on order_items.product_id = products.product_id
        where orders.is_valid
        group by orders.customer_unique_id, coalesce(products.category, 'unknown')
    ),

    assortments as (
        select customer_unique_id, count(*) as categories, min(category) as only_category
        from categories
        group by customer_unique_id
    ),

    several_categories as (
        select *
        from categories
        where
            customer_unique_id in (select customer_unique_id from assortments where categories > 1)
    ),

    favorite_categories as (
        select customer_unique_id, category
        from several_categories
        qualify
            row_number() over (
                partition by customer_unique_id order by items desc, price desc, category asc
            )
            = 1
    ),

    groups_of_several_categories as (
        select
            several_categories.customer_unique_id,
            count(distinct coalesce(category_groups.category_group, 'Unknown')) as category_groups
        from several_categories
        left join category_groups on several_categories.category = category_groups.category
        group by several_categories.customer_unique_id
    ),

    -- The sellers of one order are counted already.
    sellers_of_several_orders as (
        select orders.customer_unique_id, count(distinct order_items.seller_id) as sellers
        from order_items
        inner join orders on order_items.order_id = orders.order_id
        where
            orders.is_valid
            and orders.customer_unique_id in (select customer_unique_id from several_orders)
        group by orders.customer_unique_id
    ),

    -- How they paid.
    payments_by_type as (
        select
            orders.customer_unique_id,
            payments.payment_type,
            sum(payments.payment_value) as payment_value
        from payments
        inner join orders on payments.order_id = orders.order_id
        where orders.is_valid
        group by orders.customer_unique_id, payments.payment_type
    ),

    payment_summaries as (
        select
            customer_unique_id,
            count(*) as payment_types,
            sum(payment_value) as payment_value,
            sum(case when payment_type = 'voucher' then payment_value else 0 end) as voucher_value,
            min(payment_type) as only_payment_type
        from payments_by_type
        group by customer_unique_id
    ),

    main_payment_types as (
        select customer_unique_id, payment_type
        from payments_by_type
        where
            customer_unique_id
            in (select customer_unique_id from payment_summaries where payment_types > 1)
        qualify
            row_number() over (
                partition by customer_unique_id order by payment_value desc, payment_type asc
            )
            = 1
    ),

    -- RFM scores compare people with a valid order with one another, nobody else.
    scored as (
        select
            people.*,
            cast(
                {{ dbt.datediff("last_order_date", "reference.as_of_date", "day") }} as integer
            ) as recency_days,
            {{ rfm_score("last_order_date asc", "orders > 0") }} as r_score,
            case when orders > 0 then cast(least(orders, 5) as integer) end as f_score,
            {{ rfm_score("gmv + freight_revenue asc", "orders > 0") }} as m_score,
            reference.as_of_date
        from people
        cross join reference
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
            cast(states.state_tier as integer) as state_tier,
            cast(scored.orders_placed as integer) as orders_placed,
            cast(scored.canceled_orders as integer) as canceled_orders,
            scored.last_placed_date,
            scored.first_order_date,
            scored.last_order_date,
            {{ period_start("month", "scored.first_order_date") }} as cohort_month,
            cast(scored.orders as integer) as orders,
            scored.orders > 1 as is_repeat_customer,
            cast(scored.gmv as decimal(18, 2)) as gmv,
            cast(scored.freight_revenue as decimal(18, 2)) as freight_revenue,
            cast(scored.gmv + scored.freight_revenue as decimal(18, 2)) as gross_order_value,
            cast(scored.contribution_margin as decimal(18, 6)) as contribution_margin,
            {{ ratio("scored.gmv", "scored.orders_with_items") }} as aov,
            cast(scored.first_order_gmv as decimal(18, 2)) as first_order_gmv,
            cast(scored.last_order_gmv as decimal(18, 2)) as last_order_gmv,
            cast(scored.items as integer) as items,
            cast(scored.orders_with_items as integer) as orders_with_items,
            cast(coalesce(assortments.categories, 0) as integer) as categories,
            cast(
                coalesce(
                    groups_of_several_categories.category_groups, assortments.categories, 0
                ) as integer
            ) as category_groups,
            cast(
                coalesce(
                    sellers_of_several_orders.sellers, scored.sellers_of_an_order, 0
                ) as integer
            ) as sellers,
            coalesce(favorite_categories.category, assortments.only_category) as favorite_category,
            coalesce(
                main_payment_types.payment_type, payment_summaries.only_payment_type
            ) as main_payment_type,
            cast(coalesce(payment_summaries.payment_types, 0) as integer) as payment_types,
            cast(coalesce(payment_summaries.payment_value, 0) as decimal(18, 2)) as payment_value,
            {{ ratio("payment_summaries.voucher_value", "payment_summaries.payment_value") }}
            as voucher_share,
            {{ ratio("scored.payment_installments", "scored.paid_orders") }} as avg_installments,
            cast(scored.max_installments as integer) as max_installments,
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
            cast(scored.reviews as integer) as reviews,
            cast(scored.reviewed_orders as integer) as reviewed_orders,
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
            cast(scored.delivered_orders as integer) as delivered_orders,
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
                    assortments.categories >= {{ type["sophisticated_categories"] }}
                    and payment_summaries.payment_types >= {{ type["sophisticated_payment_types"] }}
                then 'Sophisticated'
                when
                    assortments.categories >= {{ type["moderate"] }}
                    or coalesce(sellers_of_several_orders.sellers, scored.sellers_of_an_order)
                    >= {{ type["moderate"] }}
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
        left join states on scored.state = states.state
        left join assortments on scored.customer_unique_id = assortments.customer_unique_id
        left join
            groups_of_several_categories
            on scored.customer_unique_id = groups_of_several_categories.customer_unique_id
        left join
            favorite_categories
            on scored.customer_unique_id = favorite_categories.customer_unique_id
        left join
            sellers_of_several_orders
            on scored.customer_unique_id = sellers_of_several_orders.customer_unique_id
        left join
            main_payment_types on scored.customer_unique_id = main_payment_types.customer_unique_id
        left join
            payment_summaries on scored.customer_unique_id = payment_summaries.customer_unique_id
        left join
            segments
            on scored.r_score = segments.r_score
            and scored.f_score = segments.f_score
            and scored.m_score = segments.m_score
        left join churn on scored.customer_unique_id = churn.customer_unique_id
    )

select *
from joined
