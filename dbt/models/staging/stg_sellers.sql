-- Grain: one row per seller_id.
{% set checks = place_checks() + [{"name": "city_has_letters", "passed": has_letters("city")}] %}

with
    source as (select * from {{ ref("base_sellers") }} where quarantine_reason is null),

    states as (select * from {{ ref("brazilian_states") }}),

    zip_code_ranges as (select * from {{ ref("zip_code_ranges") }}),

    renamed as (
        select
            seller_id,
            {{ zip_code_prefix("seller_zip_code_prefix") }} as zip_code_prefix,
            {{ standardize_city("seller_city") }} as city,
            upper({{ trimmed("seller_state") }}) as state,
            _loaded_at
        from source
    ),

    joined as (
        select
            renamed.seller_id,
            renamed.zip_code_prefix,
            renamed.city,
            renamed.state,
            coalesce(states.region, 'Unknown') as region,
            states.state_tier,
            states.business_environment_score,
            states.is_logistics_hub,
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
            seller_id,
            zip_code_prefix,
            city,
            state,
            region,
            state_tier,
            business_environment_score,
            is_logistics_hub,
            is_state_valid,
            is_zip_code_in_state,
            {{ data_quality_score(checks) }} as data_quality_score,
            {{ failed_checks(checks) }} as failed_checks,
            _loaded_at
        from joined
    )

select *
from scored
