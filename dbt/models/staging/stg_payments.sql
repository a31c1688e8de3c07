-- Grain: one row per order_id, payment_sequential. Sum per order before any join.
with
    source as (
        select *
        from {{ ref("base_payments") }}
        where quarantine_reason is null and {{ in_sampled("order_id", "stg_orders") }}
    ),

    renamed as (
        select
            order_id,
            payment_sequential,
            payment_type,
            payment_installments,
            payment_value,
            _loaded_at
        from source
    )

select *
from renamed
