-- Grain: one row per record of raw.products, its newest version. Rows with a quarantine_reason
-- never reach stg_products.
with
    source as ({{ latest_raw_versions("products", ["product_id"]) }}),

    renamed as (
        select
            record_key,
            product_id,
            product_category_name,
            {{ try_integer("product_name_lenght") }} as name_length,
            {{ try_integer("product_description_lenght") }} as description_length,
            {{ try_integer("product_photos_qty") }} as photos_count,
            {{ try_integer("product_weight_g") }} as weight_g,
            {{ try_integer("product_length_cm") }} as length_cm,
            {{ try_integer("product_height_cm") }} as height_cm,
            {{ try_integer("product_width_cm") }} as width_cm,
            _source_file,
            _source_row,
            _loaded_at,
            {{
                quarantine_reason(
                    [
                        must_be_present("product_id"),
                        must_be_identifier("product_id"),
                        must_be_whole_number("product_name_lenght"),
                        must_be_whole_number("product_description_lenght"),
                        must_be_whole_number("product_photos_qty"),
                        must_be_whole_number("product_weight_g"),
                        must_be_whole_number("product_length_cm"),
                        must_be_whole_number("product_height_cm"),
                        must_be_whole_number("product_width_cm"),
                    ]
                )
            }} as quarantine_reason
        from source
    )

select *
from renamed
