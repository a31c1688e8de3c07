-- Grain: one row per record of raw.customers, its newest version. Rows with a quarantine_reason
-- never reach stg_customers.
with
    source as ({{ latest_raw_versions("customers", ["customer_id"]) }}),

    renamed as (
        select
            record_key,
            customer_id,
            customer_unique_id,
            customer_zip_code_prefix,
            customer_city,
            customer_state,
            _source_file,
            _source_row,
            _loaded_at,
            {{
                quarantine_reason(
                    [
                        must_be_present("customer_id"),
                        must_be_identifier("customer_id"),
                        must_be_present("customer_unique_id"),
                        must_be_identifier("customer_unique_id"),
                        must_be_present("customer_state"),
                    ]
                )
            }} as quarantine_reason
        from source
    )

select *
from renamed
