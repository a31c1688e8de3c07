-- Grain: one row per customer_id, the order-scoped key; the person is customer_unique_id.
{% set checks = place_checks() + [{"name": "city_has_letters", "passed": has_letters("city")}] %}

with
    source as (
        select *
        from {{ ref("base_customers") }}
        where quarantine_reason is null and {{ person_in_sample("customer_unique_id") }}
    ),

    states as (select * from {{ ref("brazilian_states") }}),

    zip_code_ranges as (select * from {{ ref("zip_code_ranges") }}),

    renamed as (
        select
            customer_id,
            customer_unique_id,
            {{ zip_code_prefix("customer_zip_code_prefix") }} as zip_code_prefix,
            {{ standardize_city("customer_city") }} as city,
            upper({{ trimmed("customer_state") }}) as state,
            _loaded_at
        from source
    ),

    joined as (
        select
            renamed.customer_id,
            renamed.customer_unique_id,
            renamed.zip_code_prefix,
            renamed.city,
            renamed.state,
            coalesce(states.region, 'Unknown') as region,
            states.state_tier,
            states.state is not null as is_state_valid,
            case
                when renamed.zip_code_prefix is not null and states.state is not null
                then zip_code_ranges.state is not null
            end as is_zip_code_in_state,
            renamed._loaded_at
        from renamed
        left join states on renamed.state = states.state
        left join
            zip_code_ranges
            on renamed.state = zip_code_ranges.state
            and renamed.zip_code_prefix
            between zip_code_ranges.first_prefix and zip_code_ranges.last_prefix
    ),

    scored as (
        select
            customer_id,
            customer_unique_id,
            zip_code_prefix,
            city,
            state,
            region,
            state_tier,
            is_state_valid,
            is_zip_code_in_state,
            {{ data_quality_score(checks) }} as data_quality_score,
            {{ failed_checks(checks) }} as failed_checks,
            _loaded_at
        from joined
    )

select *
from scored
