-- Grain: one row per dataset, business_date from the dataset's first day to the as_of_date.
with
    orders as (select * from {{ ref("int_orders") }}),

    reviews as (select * from {{ ref("stg_reviews") }}),

    purchases as (
        select
            purchase_date as business_date,
            count(*) as orders,
            sum(items) as items,
            sum(payments) as payments
        from orders
        group by purchase_date
    ),

    counts as (
        select 'orders' as dataset, business_date, orders as row_count
        from purchases
        union all
        select 'order_items' as dataset, business_date, items as row_count
        from purchases
        union all
        select 'payments' as dataset, business_date, payments as row_count
        from purchases
        union all
        select 'deliveries' as dataset, delivered_date as business_date, count(*) as row_count
        from orders
        where is_delivered
        group by delivered_date
        union all
        select 'reviews' as dataset, known_date as business_date, count(*) as row_count
        from reviews
        where known_date is not null
        group by known_date
    ),

    {{ volume_expectation("counts", ["dataset"]) }}

select *
from judged
