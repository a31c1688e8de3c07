-- Grain: one row per customer_unique_id with an order up to the as_of_date; and with version_orders
-- 0 one of a person who has lost the last.
-- What int_customer_360 knows of a person from the person's own orders alone. Whatever depends on
-- other people, on the as_of_date, on a seed or on a var is added there, so that nothing here goes
-- stale.
{{
    config(
        materialized="incremental",
        incremental_strategy="delete+insert",
        unique_key="customer_unique_id",
        cluster_by=["customer_unique_id"],
    )
}}

with
    all_orders as (
        select
            order_id,
            customer_unique_id,
            customer_state,
            order_status,
            is_valid,
            purchased_at,
            purchase_date,
            is_delivered,
            is_on_time,
            delivery_days,
            items,
            sellers,
            gmv,
            freight_revenue,
            payment_installments,
            payment_value,
            reviews,
            review_score,
            has_review_comment,
            built_at
        from {{ ref("int_orders") }}
        where customer_unique_id is not null
    ),

    changed_people as ({{ changed_keys("all_orders", ["customer_unique_id"]) }}),

    orders as (
        select *
        from all_orders
        where customer_unique_id in (select customer_unique_id from changed_people)
    ),

    order_items as (
        select order_id, product_id, seller_id, price
        from {{ ref("stg_order_items") }}
        where order_id in (select order_id from orders where is_valid)
    ),

    payments as (
        select order_id, payment_type, payment_value
        from {{ ref("stg_payments") }}
        where order_id in (select order_id from orders where is_valid)
    ),

    products as (select product_id, category from {{ ref("stg_products") }}),

    -- Only people with several orders have a first and a latest one to find: few, and ranking is
    -- dear.
    several_orders as (select customer_unique_id from changed_people where version_orders > 1),

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
            count(*) as orders_placed,
            count(case when order_status = 'canceled' then 1 end) as canceled_orders,
            max(purchase_date) as last_placed_date,
            count(case when is_valid then 1 end) as orders,
            min(case when is_valid then purchase_date end) as first_order_date,
            max(case when is_valid then purchase_date end) as last_order_date,
            sum(gmv) as gmv,
            sum(freight_revenue) as freight_revenue,
            sum(case when is_valid then payment_value end) as payment_value,
            sum(case when is_valid then items else 0 end) as items,
            count(case when is_valid and items > 0 then 1 end) as orders_with_items,
            max(case when is_valid then sellers end) as sellers_of_an_order,
            max(case when is_valid and rank_by_validity = 1 then gmv end) as first_order_gmv,
            max(case when is_valid and recent_rank_by_validity = 1 then gmv end) as last_order_gmv,
            count(case when is_valid then payment_value end) as paid_orders,
            sum(case when is_valid then payment_installments end) as payment_installments,
            max(case when is_valid then payment_installments end) as max_installments,
            sum(case when is_valid then reviews else 0 end) as reviews,
            count(case when is_valid then review_score end) as reviewed_orders,
            count(case when is_valid and has_review_comment then 1 end) as commented_orders,
            sum(case when is_valid then review_score end) as review_scores,
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
        group by orders.customer_unique_id, coalesce(products.category, 'unknown')
    ),

    assortments as (
        select customer_unique_id, count(*) as categories, min(category) as only_category
        from categories
        group by customer_unique_id
    ),

    favorite_categories as (
        select customer_unique_id, category
        from categories
        where
            customer_unique_id in (select customer_unique_id from assortments where categories > 1)
        qualify
            row_number() over (
                partition by customer_unique_id order by items desc, price desc, category asc
            )
            = 1
    ),

    -- The sellers of one order are counted already.
    sellers_of_several_orders as (
        select orders.customer_unique_id, count(distinct order_items.seller_id) as sellers
        from order_items
        inner join orders on order_items.order_id = orders.order_id
        where orders.customer_unique_id in (select customer_unique_id from several_orders)
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
        group by orders.customer_unique_id, payments.payment_type
    ),

    payment_summaries as (
        select
            customer_unique_id,
            count(*) as payment_types,
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

    joined as (
        select
            changed_people.customer_unique_id,
            people.state,
            cast(coalesce(people.orders_placed, 0) as integer) as orders_placed,
            cast(coalesce(people.canceled_orders, 0) as integer) as canceled_orders,
            people.last_placed_date,
            cast(coalesce(people.orders, 0) as integer) as orders,
            people.first_order_date,
            people.last_order_date,
            cast(coalesce(people.gmv, 0) as decimal(18, 2)) as gmv,
            cast(coalesce(people.freight_revenue, 0) as decimal(18, 2)) as freight_revenue,
            cast(people.first_order_gmv as decimal(18, 2)) as first_order_gmv,
            cast(people.last_order_gmv as decimal(18, 2)) as last_order_gmv,
            cast(coalesce(people.items, 0) as integer) as items,
            cast(coalesce(people.orders_with_items, 0) as integer) as orders_with_items,
            cast(coalesce(assortments.categories, 0) as integer) as categories,
            coalesce(favorite_categories.category, assortments.only_category) as favorite_category,
            cast(
                coalesce(
                    sellers_of_several_orders.sellers, people.sellers_of_an_order, 0
                ) as integer
            ) as sellers,
            cast(coalesce(people.paid_orders, 0) as integer) as paid_orders,
            cast(coalesce(people.payment_value, 0) as decimal(18, 2)) as payment_value,
            cast(coalesce(payment_summaries.payment_types, 0) as integer) as payment_types,
            coalesce(
                main_payment_types.payment_type, payment_summaries.only_payment_type
            ) as main_payment_type,
            cast(coalesce(payment_summaries.voucher_value, 0) as decimal(18, 2)) as voucher_value,
            cast(people.payment_installments as integer) as payment_installments,
            cast(people.max_installments as integer) as max_installments,
            cast(coalesce(people.reviews, 0) as integer) as reviews,
            cast(coalesce(people.reviewed_orders, 0) as integer) as reviewed_orders,
            cast(coalesce(people.commented_orders, 0) as integer) as commented_orders,
            cast(people.review_scores as integer) as review_scores,
            cast(coalesce(people.delivered_orders, 0) as integer) as delivered_orders,
            cast(coalesce(people.on_time_orders, 0) as integer) as on_time_orders,
            cast(people.delivery_days as decimal(24, 6)) as delivery_days,
            cast(coalesce(people.timed_deliveries, 0) as integer) as timed_deliveries,
            cast(changed_people.version_orders as integer) as version_orders,
            changed_people.version_built_at,
            changed_people.version_purchase_date
        from changed_people
        left join people on changed_people.customer_unique_id = people.customer_unique_id
        left join assortments on changed_people.customer_unique_id = assortments.customer_unique_id
        left join
            favorite_categories
            on changed_people.customer_unique_id = favorite_categories.customer_unique_id
        left join
            sellers_of_several_orders
            on changed_people.customer_unique_id = sellers_of_several_orders.customer_unique_id
        left join
            payment_summaries
            on changed_people.customer_unique_id = payment_summaries.customer_unique_id
        left join
            main_payment_types
            on changed_people.customer_unique_id = main_payment_types.customer_unique_id
    )

select *
from joined
