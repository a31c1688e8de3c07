-- Grain: one row per product_id, with the extract that says so.
with
    products as (select * from {{ ref("stg_products") }}),

    extracts as (select * from {{ ref("base_products") }}),

    translation_extracts as (select * from {{ ref("base_category_translation") }}),

    -- A new translation changes the category of a product that no extract mentions. There are few
    -- files: each is read for its day once, not with every record.
    source_files as (
        select _source_file
        from extracts
        union
        select _source_file
        from translation_extracts
    ),

    extract_days as (
        select _source_file, {{ extract_moment("_source_file") }} as extracted_at from source_files
    ),

    latest_extract as (select max(extracted_at) as latest_extract_at from extract_days),

    joined as (
        select
            products.product_id,
            products.category,
            products.weight_g,
            products.length_cm,
            products.height_cm,
            products.width_cm,
            products.volume_cm3,
            products.photos_count,
            extract_days.extracted_at,
            latest_extract.latest_extract_at
        from products
        inner join extracts on products.product_id = extracts.product_id
        inner join extract_days on extracts._source_file = extract_days._source_file
        cross join latest_extract
    )

select *
from joined
