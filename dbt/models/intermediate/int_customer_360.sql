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

    ranked as (
        select
            orders.*,
            {{ contribution_margin("gmv", "freight_revenue", "payment_value") }}
            as contribution_margin,
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
    lines as (
        select
            orders.customer_unique_id,
            coalesce(products.category, 'unknown') as category,
            order_items.seller_id,
            count(*) as items,
            sum(order_items.price) as price
        from order_items
        inner join orders on order_items.order_id = orders.order_id
        left join products on order_items.product_id = products.product_id
        where orders.is_valid
        group by
            orders.customer_unique_id, coalesce(products.category, 'unknown'), order_items.seller_id
    ),

    sellers as (
        select customer_unique_id, count(distinct seller_id) as sellers
        from lines
        group by customer_unique_id
    ),

    categories as (
        select
            customer_unique_id,
            category,
            row_number() over (
                partition by customer_unique_id
                order by sum(items) desc, sum(price) desc, category asc
            ) as category_rank
        from lines
        group by customer_unique_id, category
    ),

    assortments as (
        select
            categories.customer_unique_id,
            count(*) as categories,
            count(distinct coalesce(category_groups.category_group, 'Unknown')) as category_groups,
            max(case when category_rank = 1 then categories.category end) as favorite_category
        from categories
        left join category_groups on categories.category = category_groups.category
        group by categories.customer_unique_id
    ),

    -- How they paid.
    payments_by_type as (
        select
            orders.customer_unique_id,
            payments.payment_type,
            sum(payments.payment_value) as payment_value,
            row_number() over (
                partition by orders.customer_unique_id
                order by sum(payments.payment_value) desc, payments.payment_type asc
            ) as type_rank
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
            max(case when type_rank = 1 then payment_type end) as main_payment_type
        from payments_by_type
        group by customer_unique_id
    ),

    -- RFM scores compare people with a valid order with one another, nobody else.
    scores as (
        select
            people.customer_unique_id,
            cast(
                {{ dbt.datediff("people.last_order_date", "reference.as_of_date", "day") }}
                as integer
            ) as recency_days,
            cast(least(people.orders, 5) as integer) as f_score,
            {{ rfm_score("people.last_order_date asc") }} as r_score,
            {{ rfm_score("people.gmv + people.freight_revenue asc") }} as m_score
        from people
        cross join reference
        where people.orders > 0
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
            people.customer_unique_id,
            people.state,
            people.region,
            cast(states.state_tier as integer) as state_tier,
            cast(people.orders_placed as integer) as orders_placed,
            cast(people.canceled_orders as integer) as canceled_orders,
            people.last_placed_date,
            people.first_order_date,
            people.last_order_date,
            {{ period_start("month", "people.first_order_date") }} as cohort_month,
            cast(people.orders as integer) as orders,
            people.orders > 1 as is_repeat_customer,
            cast(people.gmv as decimal(18, 2)) as gmv,
            cast(people.freight_revenue as decimal(18, 2)) as freight_revenue,
            cast(people.gmv + people.freight_revenue as decimal(18, 2)) as gross_order_value,
            cast(people.contribution_margin as decimal(18, 6)) as contribution_margin,
            {{ ratio("people.gmv", "people.orders_with_items") }} as aov,
            cast(people.first_order_gmv as decimal(18, 2)) as first_order_gmv,
            cast(people.last_order_gmv as decimal(18, 2)) as last_order_gmv,
            cast(people.items as integer) as items,
            cast(people.orders_with_items as integer) as orders_with_items,
            cast(coalesce(assortments.categories, 0) as integer) as categories,
            cast(coalesce(assortments.category_groups, 0) as integer) as category_groups,
            cast(coalesce(sellers.sellers, 0) as integer) as sellers,
            assortments.favorite_category,
            payment_summaries.main_payment_type,
            cast(coalesce(payment_summaries.payment_types, 0) as integer) as payment_types,
            cast(coalesce(payment_summaries.payment_value, 0) as decimal(18, 2)) as payment_value,
            {{ ratio("payment_summaries.voucher_value", "payment_summaries.payment_value") }}
            as voucher_share,
            {{ ratio("people.payment_installments", "people.paid_orders") }} as avg_installments,
            cast(people.max_installments as integer) as max_installments,
            case
                when people.paid_orders = 0
                then null
                when
                    {{ ratio("people.long_installment_orders", "people.paid_orders") }}
                    > {{ payment_risk["long_share"] }}
                then 'High'
                when people.max_installments > {{ payment_risk["medium_installments"] }}
                then 'Medium'
                else 'Low'
            end as payment_risk,
            cast(people.reviews as integer) as reviews,
            cast(people.reviewed_orders as integer) as reviewed_orders,
            {{ ratio("people.review_scores", "people.reviewed_orders") }} as avg_review_score,
            case
                when people.orders = 0
                then null
                when
                    {{ ratio("people.commented_orders", "people.orders") }}
                    >= {{ engagement["high_commented"] }}
                then 'High'
                when
                    {{ ratio("people.reviewed_orders", "people.orders") }}
                    >= {{ engagement["medium_reviewed"] }}
                then 'Medium'
                else 'Low'
            end as engagement_tier,
            cast(people.delivered_orders as integer) as delivered_orders,
            {{ ratio("people.on_time_orders", "people.delivered_orders") }} as on_time_rate,
            {{ ratio("people.delivery_days", "people.timed_deliveries") }} as avg_delivery_days,
            case
                when people.delivered_orders = 0
                then null
                when
                    {{ ratio("people.on_time_orders", "people.delivered_orders") }}
                    < {{ delivery["poor"] }}
                then 'Poor'
                when
                    {{ ratio("people.on_time_orders", "people.delivered_orders") }}
                    < {{ delivery["average"] }}
                then 'Average'
                else 'Good'
            end as delivery_experience,
            case
                when people.orders_with_items = 0
                then null
                when
                    assortments.categories >= {{ type["sophisticated_categories"] }}
                    and payment_summaries.payment_types >= {{ type["sophisticated_payment_types"] }}
                then 'Sophisticated'
                when
                    assortments.categories >= {{ type["moderate"] }}
                    or sellers.sellers >= {{ type["moderate"] }}
                then 'Moderate'
                else 'Simple'
            end as customer_type,
            scores.recency_days,
            cast(
                {{ dbt.datediff("people.first_order_date", "reference.as_of_date", "day") }}
                as integer
            ) as tenure_days,
            cast(
                {{ dbt.datediff("people.first_order_date", "people.last_order_date", "day") }}
                as integer
            ) as active_days,
            {{
                ratio(
                    dbt.datediff("people.first_order_date", "people.last_order_date", "day"),
                    "people.orders - 1",
                )
            }} as avg_days_between_orders,
            case
                when people.orders = 0
                then 'No Valid Order'
                when people.orders = 1 and scores.recency_days <= {{ lifecycle["new"] }}
                then 'New'
                when people.orders > 1 and scores.recency_days <= {{ lifecycle["cooling"] }}
                then 'Loyal'
                when scores.recency_days <= {{ lifecycle["active"] }}
                then 'Active'
                when scores.recency_days <= {{ lifecycle["cooling"] }}
                then 'Cooling'
                when scores.recency_days <= {{ lifecycle["dormant"] }}
                then 'Dormant'
                else 'Lost'
            end as lifecycle_stage,
            scores.r_score,
            scores.f_score,
            scores.m_score,
            cast(scores.r_score as varchar)
            || cast(scores.f_score as varchar)
            || cast(scores.m_score as varchar) as rfm_code,
            cast(
                scores.r_score * {{ weights["recency"] }}
                + scores.f_score * {{ weights["frequency"] }}
                + scores.m_score * {{ weights["monetary"] }} as decimal(4, 2)
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
            reference.as_of_date
        from people
        cross join reference
        cross join averages
        left join states on people.state = states.state
        left join assortments on people.customer_unique_id = assortments.customer_unique_id
        left join sellers on people.customer_unique_id = sellers.customer_unique_id
        left join
            payment_summaries on people.customer_unique_id = payment_summaries.customer_unique_id
        left join scores on people.customer_unique_id = scores.customer_unique_id
        left join
            segments
            on scores.r_score = segments.r_score
            and scores.f_score = segments.f_score
            and scores.m_score = segments.m_score
        left join churn on people.customer_unique_id = churn.customer_unique_id
    )

select *
from joined
