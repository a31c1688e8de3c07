-- Grain: one row per record of raw.category_translation, its newest version. Rows with a
-- quarantine_reason translate nothing.
with
    source as ({{ latest_raw_versions("category_translation", ["product_category_name"]) }}),

    renamed as (
        select
            record_key,
            product_category_name,
            product_category_name_english,
            _source_file,
            _source_row,
            _loaded_at,
            {{
                quarantine_reason(
                    [
                        must_be_present("product_category_name"),
                        must_be_present("product_category_name_english"),
                    ]
                )
            }} as quarantine_reason
        from source
    )

select *
from renamed
