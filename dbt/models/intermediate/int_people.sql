-- Grain: one row per customer_unique_id, the person, with the place of the person's latest order.
-- The as_of_date does not cut it: it is what is known of a person, not a figure of a period.
with
    customers as (
        select customer_id, customer_unique_id, zip_code_prefix, city, state, region
        from {{ ref("stg_customers") }}
    ),

    orders as (
        select customer_id, purchased_at from {{ ref("int_order_facts") }} where is_in_staging
    ),

    extracts as (select customer_id, _source_file from {{ ref("base_customers") }}),

    order_extracts as (select _source_file from {{ ref("base_orders") }}),

    -- There are few files: each is read for its day once, not with every record.
    source_files as (
        select _source_file
        from extracts
        union
        select _source_file
        from order_extracts
    ),

    extract_days as (
        select _source_file, {{ extract_moment("_source_file") }} as extracted_at from source_files
    ),

    latest_extract as (select max(extracted_at) as latest_extract_at from extract_days),

    records as (
        select customers.*, extract_days.extracted_at
        from customers
        inner join extracts on customers.customer_id = extracts.customer_id
        inner join extract_days on extracts._source_file = extract_days._source_file
    ),

    -- Only people with several records have a latest one to find: few, and ranking is dear.
    several_records as (
        select customer_unique_id from customers group by customer_unique_id having count(*) > 1
    ),

    latest_of_several as (
        select
            records.customer_id,
            max(records.extracted_at) over (partition by records.customer_unique_id) as extracted_at
        from records
        left join orders on records.customer_id = orders.customer_id
        where records.customer_unique_id in (select customer_unique_id from several_records)
        qualify
            row_number() over (
                partition by records.customer_unique_id
                order by orders.purchased_at desc nulls last, records.customer_id desc
            )
            = 1
    ),

    joined as (
        select
            records.customer_unique_id,
            records.zip_code_prefix,
            records.city,
            records.state,
            records.region,
            coalesce(latest_of_several.extracted_at, records.extracted_at) as extracted_at,
            latest_extract.latest_extract_at
        from records
        cross join latest_extract
        left join several_records on records.customer_unique_id = several_records.customer_unique_id
        left join latest_of_several on records.customer_id = latest_of_several.customer_id
        where
            several_records.customer_unique_id is null or latest_of_several.customer_id is not null
    )

select *
from joined
