-- Grain: one row per order_id of int_order_facts. What is compared with other orders, and with
-- which.
-- Who reads it takes the orders in staging up to the as_of_date; an order that staging refuses
-- keeps its key, to take its former version's place.
{{
    config(
        materialized="incremental",
        incremental_strategy="delete+insert",
        unique_key="order_id",
        cluster_by=["purchase_date"],
    )
}}

with
    orders as (
        select *
        from {{ ref("int_order_facts") }}
        {% if is_incremental() %}
            where built_at > (select max(built_at) from {{ this }})
        {% endif %}
    ),

    order_items as (select * from {{ ref("stg_order_items") }}),

    products as (select product_id, category from {{ ref("stg_products") }}),

    category_groups as (select * from {{ ref("category_groups") }}),

    sellers as (select seller_id, state from {{ ref("stg_sellers") }}),

    payments as (select * from {{ ref("stg_payments") }}),

    items as (
        select
            order_items.order_id,
            order_items.order_item_id,
            order_items.price,
            orders.items as units,
            coalesce(products.category, 'unknown') as category,
            coalesce(category_groups.category_group, 'Unknown') as category_group,
            coalesce(sellers.state, 'Unknown') as seller_state
        from order_items
        inner join orders on order_items.order_id = orders.order_id
        left join products on order_items.product_id = products.product_id
        left join category_groups on products.category = category_groups.category
        left join sellers on order_items.seller_id = sellers.seller_id
    ),

    -- Nine of ten orders hold one unit: only the others have to be ranked and counted.
    ranked_items as (
        select
            order_id,
            category,
            category_group,
            seller_state,
            row_number() over (
                partition by order_id order by price desc, order_item_id asc
            ) as price_rank
        from items
        where units > 1
    ),

    baskets as (
        select
            order_id,
            category as main_category,
            seller_state as main_seller_state,
            1 as category_groups,
            1 as seller_states
        from items
        where units = 1
        union all
        select
            order_id,
            max(case when price_rank = 1 then category end) as main_category,
            max(case when price_rank = 1 then seller_state end) as main_seller_state,
            count(distinct category_group) as category_groups,
            count(distinct seller_state) as seller_states
        from ranked_items
        group by order_id
    ),

    -- Installments of each type of an order that combines types; of the others int_orders tells
    -- them.
    combined_payments as (
        select order_id, payment_type, max(payment_installments) as payment_installments
        from payments
        where order_id in (select order_id from orders where payment_types > 1)
        group by order_id, payment_type
    ),

    joined as (
        select
            orders.order_id,
            baskets.main_category,
            baskets.main_seller_state,
            case
                when baskets.order_id is not null
                then baskets.main_seller_state || ' > ' || orders.customer_state
            end as lane,
            orders.main_payment_type,
            cast(coalesce(baskets.category_groups, 0) as integer) as category_groups,
            cast(coalesce(baskets.seller_states, 0) as integer) as seller_states,
            {{ log_amount("orders.item_price") }} as log_item_value,
            {{ log_amount(ratio("orders.freight_value", "orders.items")) }} as log_freight_per_item,
            -- Without items there is no lane to compare the days with.
            case
                when baskets.order_id is not null then cast(orders.delivery_days as double)
            end as delivery_days,
            cast(
                case
                    when orders.payment_types > 1
                    then combined_payments.payment_installments
                    else orders.payment_installments
                end as double
            ) as main_payment_installments,
            orders.is_in_staging,
            orders.purchase_date,
            orders.built_at
        from orders
        left join baskets on orders.order_id = baskets.order_id
        left join
            combined_payments
            on orders.order_id = combined_payments.order_id
            and orders.main_payment_type = combined_payments.payment_type
    )

select *
from joined
