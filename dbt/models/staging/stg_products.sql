-- Grain: one row per product_id.
with
    source as (select * from {{ ref("base_products") }} where quarantine_reason is null),

    translations as (
        select * from {{ ref("base_category_translation") }} where quarantine_reason is null
    ),

    joined as (
        select
            source.product_id,
            -- A category that nobody translated keeps its own name: it is known, only not in
            -- English.
            coalesce(
                nullif(trim(translations.product_category_name_english), ''),
                nullif(trim(source.product_category_name), ''),
                'unknown'
            ) as category,
            source.product_category_name as category_portuguese,
            source.name_length,
            source.description_length,
            source.photos_count,
            source.weight_g,
            source.length_cm,
            source.height_cm,
            source.width_cm,
            cast(source.length_cm as bigint) * source.height_cm * source.width_cm as volume_cm3,
            source._loaded_at
        from source
        left join translations on source.product_category_name = translations.product_category_name
    )

select *
from joined
