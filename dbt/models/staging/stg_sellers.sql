-- Grain: one row per seller_id.
with
    source as (select * from {{ ref("base_sellers") }} where quarantine_reason is null),

    states as (select * from {{ ref("brazilian_states") }}),

    renamed as (
        select
            seller_id,
            {{ zip_code_prefix("seller_zip_code_prefix") }} as zip_code_prefix,
            {{ standardize_city("seller_city") }} as city,
            upper(trim(seller_state)) as state,
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
            renamed._loaded_at
        from renamed
        left join states on renamed.state = states.state
    )

select *
from joined
