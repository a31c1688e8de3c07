-- Grain: one row per record of raw.payments, its newest version. Rows with a quarantine_reason
-- never reach stg_payments.
with
    source as ({{ latest_raw_versions("payments", ["order_id", "payment_sequential"]) }}),

    renamed as (
        select
            record_key,
            order_id,
            {{ try_integer("payment_sequential") }} as payment_sequential,
            lower({{ trimmed("payment_type") }}) as payment_type,
            {{ try_integer("payment_installments") }} as payment_installments,
            {{ try_decimal("payment_value") }} as payment_value,
            _source_file,
            _source_row,
            _loaded_at,
            {{
                quarantine_reason(
                    [
                        must_be_present("order_id"),
                        must_be_identifier("order_id"),
                        must_be_present("payment_sequential"),
                        must_be_whole_number("payment_sequential", 1),
                        must_be_present("payment_type"),
                        must_be_present("payment_installments"),
                        must_be_whole_number("payment_installments"),
                        must_be_present("payment_value"),
                        must_be_amount("payment_value"),
                    ]
                )
            }} as quarantine_reason
        from source
    )

select *
from renamed
