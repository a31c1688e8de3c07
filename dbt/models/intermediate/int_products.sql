-- Grain: one row per product_id, with the extract that says so.
with
    products as (select * from {{ ref("stg_products") }}),

    extracts as (select * from {{ ref("base_products") }}),

    translation_extracts as (select * from {{ ref("base_category_translation") }}),

    -- A new translation changes the category of a product that no extract mentions.
    latest_extract as (
        select max({{ extract_moment("_source_file") }}) as latest_extract_at
        from
            (
                select _source_file
                from extracts
                union all
                select _source_file
                from translation_extracts
            ) as source_files
    ),

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
            {{ extract_moment("extracts._source_file") }} as extracted_at,
            latest_extract.latest_extract_at
        from products
        inner join extracts on products.product_id = extracts.product_id
        cross join latest_extract
    )

select *
from joined
