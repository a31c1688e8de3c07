-- Grain: one row per customer_unique_id, the person, with the place of the person's latest order.
-- The as_of_date does not cut it: it is what is known of a person, not a figure of a period.
with
    customers as (select * from {{ ref("stg_customers") }}),

    orders as (select * from {{ ref("stg_orders") }}),

    extracts as (select * from {{ ref("base_customers") }}),

    order_extracts as (select * from {{ ref("base_orders") }}),

    latest_extract as (
        select max({{ extract_moment("_source_file") }}) as latest_extract_at
        from
            (
                select _source_file
                from extracts
                union all
                select _source_file
                from order_extracts
            ) as source_files
    ),

    joined as (
        select
            customers.customer_unique_id,
            customers.zip_code_prefix,
            customers.city,
            customers.state,
            customers.region,
            max({{ extract_moment("extracts._source_file") }}) over (
                partition by customers.customer_unique_id
            ) as extracted_at,
            latest_extract.latest_extract_at
        from customers
        inner join extracts on customers.customer_id = extracts.customer_id
        left join orders on customers.customer_id = orders.customer_id
        cross join latest_extract
        qualify
            row_number() over (
                partition by customers.customer_unique_id
                order by orders.purchased_at desc nulls last, customers.customer_id desc
            )
            = 1
    )

select *
from joined
