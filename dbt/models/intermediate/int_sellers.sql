-- Grain: one row per seller_id, with the extract that says so.
with
    sellers as (select * from {{ ref("stg_sellers") }}),

    extracts as (select * from {{ ref("base_sellers") }}),

    latest_extract as (
        select max({{ extract_moment("_source_file") }}) as latest_extract_at from extracts
    ),

    joined as (
        select
            sellers.seller_id,
            sellers.zip_code_prefix,
            sellers.city,
            sellers.state,
            sellers.region,
            {{ extract_moment("extracts._source_file") }} as extracted_at,
            latest_extract.latest_extract_at
        from sellers
        inner join extracts on sellers.seller_id = extracts.seller_id
        cross join latest_extract
    )

select *
from joined
