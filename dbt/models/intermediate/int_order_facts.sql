-- Grain: one row per order_id that raw names, with its items, payments and latest review.
-- The first to know of any change: a newer record of an order, of its customer, products or sellers
-- builds the order's row again, and built_at tells the models behind which orders that were.
-- Each of them is brought to this grain before any join, so that none can multiply another. Nothing
-- here depends on the as_of_date or on a seed: int_orders adds them, and so what is incremental
-- never goes stale. An order that staging refuses keeps its key, to take its former version's
-- place.
{{
    config(
        materialized="incremental",
        incremental_strategy="delete+insert",
        unique_key="order_id",
        group="data_platform",
        cluster_by=["purchase_date"],
    )
}}

-- The incremental run alone reads these; dbt has to know them before.
-- depends_on: {{ ref("base_payments") }}
-- depends_on: {{ ref("base_reviews") }}
-- depends_on: {{ ref("base_customers") }}
with
    keys as (
        select order_id
        from {{ ref("base_orders") }}
        where
            order_id is not null
            {%- if is_incremental() %} and order_id in ({{ changed_order_ids() }}) {%- endif %}
    ),

    orders as (select * from {{ ref("stg_orders") }} where order_id in (select order_id from keys)),

    customers as (
        select customer_id, customer_unique_id, state, _loaded_at
        from {{ ref("stg_customers") }}
        where customer_id in (select customer_id from orders)
    ),

    items as (
        select
            order_id,
            count(*) as items,
            count(distinct seller_id) as sellers,
            count(distinct product_id) as products,
            sum(price) as price,
            sum(freight_value) as freight_value,
            max(_loaded_at) as _loaded_at
        from {{ ref("stg_order_items") }}
        where order_id in (select order_id from keys)
        group by order_id
    ),

    sold as (
        select
            order_items.order_id,
            max(products._loaded_at) as products_loaded_at,
            max(translations._loaded_at) as translations_loaded_at,
            max(sellers._loaded_at) as sellers_loaded_at
        from {{ ref("base_order_items") }} as order_items
        left join
            {{ ref("base_products") }} as products on order_items.product_id = products.product_id
        left join
            {{ ref("base_category_translation") }} as translations
            on products.product_category_name = translations.product_category_name
        left join {{ ref("base_sellers") }} as sellers on order_items.seller_id = sellers.seller_id
        where order_items.order_id in (select order_id from keys)
        group by order_items.order_id
    ),

    payments_by_type as (
        select
            order_id,
            payment_type,
            count(*) as payments,
            sum(payment_value) as payment_value,
            max(payment_installments) as payment_installments,
            max(_loaded_at) as _loaded_at
        from {{ ref("stg_payments") }}
        where order_id in (select order_id from keys)
        group by order_id, payment_type
    ),

    payments as (
        select
            order_id,
            sum(payments) as payments,
            count(*) as payment_types,
            sum(payment_value) as payment_value,
            max(payment_installments) as payment_installments,
            max(_loaded_at) as _loaded_at
        from payments_by_type
        group by order_id
    ),

    main_payments as (
        select order_id, payment_type
        from payments_by_type
        qualify
            row_number() over (partition by order_id order by payment_value desc, payment_type asc)
            = 1
    ),

    reviews as (
        select
            order_id,
            review_score,
            has_comment,
            created_at,
            answered_at,
            count(*) over (partition by order_id) as reviews,
            max(_loaded_at) over (partition by order_id) as _loaded_at
        from {{ ref("stg_reviews") }}
        where order_id in (select order_id from keys)
        qualify
            row_number() over (
                partition by order_id
                order by created_at desc, answered_at desc nulls last, review_id desc
            )
            = 1
    ),

    joined as (
        select
            keys.order_id,
            orders.order_id is not null as is_in_staging,
            orders.customer_id,
            customers.customer_unique_id,
            coalesce(customers.state, 'Unknown') as customer_state,
            orders.order_status,
            orders.is_valid,
            orders.purchased_at,
            orders.approved_at,
            orders.shipped_at,
            orders.delivered_at,
            orders.estimated_delivery_date,
            orders.purchase_date,
            orders.purchase_month,
            orders.purchase_weekday,
            orders.purchase_hour,
            orders.delivered_date,
            orders.is_delivered,
            orders.is_on_time,
            orders.delivery_days,
            orders.delay_days,
            orders.approval_hours,
            orders.has_impossible_timestamps,
            cast(coalesce(items.items, 0) as integer) as items,
            cast(coalesce(items.sellers, 0) as integer) as sellers,
            cast(coalesce(items.products, 0) as integer) as products,
            cast(coalesce(items.price, 0) as decimal(18, 2)) as item_price,
            cast(coalesce(items.freight_value, 0) as decimal(18, 2)) as freight_value,
            cast(
                case when orders.is_valid then coalesce(items.price, 0) else 0 end as decimal(18, 2)
            ) as gmv,
            cast(
                case
                    when orders.is_valid then coalesce(items.freight_value, 0) else 0
                end as decimal(18, 2)
            ) as freight_revenue,
            cast(coalesce(payments.payments, 0) as integer) as payments,
            cast(coalesce(payments.payment_types, 0) as integer) as payment_types,
            main_payments.payment_type as main_payment_type,
            cast(payments.payment_installments as integer) as payment_installments,
            cast(payments.payment_value as decimal(18, 2)) as payment_value,
            cast(
                payments.payment_value
                - coalesce(items.price, 0)
                - coalesce(items.freight_value, 0) as decimal(18, 2)
            ) as payment_gap,
            cast(coalesce(reviews.reviews, 0) as integer) as reviews,
            reviews.review_score,
            reviews.has_comment as has_review_comment,
            case
                when reviews.answered_at >= reviews.created_at
                then {{ hours_between("reviews.created_at", "reviews.answered_at") }}
            end as review_answer_hours,
            orders._loaded_at as order_loaded_at,
            customers._loaded_at as customer_loaded_at,
            items._loaded_at as items_loaded_at,
            payments._loaded_at as payments_loaded_at,
            reviews._loaded_at as reviews_loaded_at,
            sold.products_loaded_at,
            sold.translations_loaded_at,
            sold.sellers_loaded_at,
            cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}' as timestamp) as built_at,
            {{ sample_share() }} as sample_share
        from keys
        left join orders on keys.order_id = orders.order_id
        left join customers on orders.customer_id = customers.customer_id
        left join items on keys.order_id = items.order_id
        left join payments on keys.order_id = payments.order_id
        left join main_payments on keys.order_id = main_payments.order_id
        left join reviews on keys.order_id = reviews.order_id
        left join sold on keys.order_id = sold.order_id
    )

select *
from joined
