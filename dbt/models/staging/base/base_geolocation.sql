-- Grain: one row per row of the newest extract of raw.geolocation, which has no key and many exact
-- duplicates. Rows with a quarantine_reason never reach stg_geolocation.
{{ config(materialized="view") }}

with
    source as ({{ newest_raw_extract("geolocation") }}),

    renamed as (
        select
            cast({{ extract_date("_source_file") }} as date) as extract_date,
            _source_file || ' row ' || _source_row as record_key,
            geolocation_zip_code_prefix,
            {{ exact_decimal("geolocation_lat") }} as latitude,
            {{ exact_decimal("geolocation_lng") }} as longitude,
            geolocation_city,
            geolocation_state,
            _source_file,
            _source_row,
            _loaded_at,
            {{
                quarantine_reason(
                    [
                        must_be_present("geolocation_zip_code_prefix"),
                        must_be_present("geolocation_lat"),
                        must_be_number("geolocation_lat"),
                        must_be_present("geolocation_lng"),
                        must_be_number("geolocation_lng"),
                    ]
                )
            }} as quarantine_reason
        from source
    )

select *
from renamed
