-- Grain: one row per order_id, payment_sequential. Sum per order before any join.
{% set groups = var("payment_method_groups") %}
{% set bands = var("installment_band_maximums") %}
{% set checks = [
    {
        "name": "payment_type_is_known",
        "passed": "payment_type in ('" ~ groups.keys() | join("', '") ~ "')",
    },
    {"name": "payment_value_is_above_zero", "passed": "payment_value > 0"},
    {"name": "installments_are_one_or_more", "passed": "payment_installments >= 1"},
    {
        "name": "installments_are_plausible",
        "passed": "payment_installments <= " ~ var("plausible_maximum_installments"),
    },
    {
        "name": "only_cards_have_installments",
        "passed": "payment_method_group = 'Card' or payment_installments <= 1",
    },
] %}

with
    source as (
        select *
        from {{ ref("base_payments") }}
        where quarantine_reason is null and {{ in_sampled("order_id", "stg_orders") }}
    ),

    renamed as (
        select
            {{ surrogate_key(["order_id", "payment_sequential"]) }} as payment_key,
            order_id,
            payment_sequential,
            payment_type,
            case
                payment_type
                {%- for type, group in groups.items() %}
                    when '{{ type }}' then '{{ group }}'
                {%- endfor %}
                else 'Other'
            end as payment_method_group,
            payment_installments,
            case
                {%- for band, maximum in bands.items() %}
                    when payment_installments <= {{ maximum }} then '{{ band }}'
                {%- endfor %}
                when payment_installments is not null
                then 'Long'
            end as installment_band,
            payment_value,
            payment_value >= {{ var("high_value_payment_minimum") }} as is_high_value,
            payment_installments
            >= {{ var("extreme_installments_minimum") }} as has_extreme_installments,
            _loaded_at
        from source
    ),

    scored as (
        select
            payment_key,
            order_id,
            payment_sequential,
            payment_type,
            payment_method_group,
            payment_installments,
            installment_band,
            payment_value,
            is_high_value,
            has_extreme_installments,
            {{ data_quality_score(checks) }} as data_quality_score,
            {{ failed_checks(checks) }} as failed_checks,
            _loaded_at
        from renamed
    )

select *
from scored
