-- Grain: one row per record of raw.sellers, its newest version. Rows with a quarantine_reason
-- never reach stg_sellers.
with
    source as ({{ latest_raw_versions("sellers", ["seller_id"]) }}),

    renamed as (
        select
            record_key,
            seller_id,
            seller_zip_code_prefix,
            seller_city,
            seller_state,
            _source_file,
            _source_row,
            _loaded_at,
            {{
                quarantine_reason(
                    [
                        must_be_present("seller_id"),
                        must_be_identifier("seller_id"),
                        must_be_present("seller_state"),
                    ]
                )
            }} as quarantine_reason
        from source
    )

select *
from renamed
