-- Grain: one row per customer_id, the order-scoped key; the person is customer_unique_id.
with
    source as (
        select *
        from {{ ref("base_customers") }}
        where quarantine_reason is null and {{ person_in_sample("customer_unique_id") }}
    ),

    states as (select * from {{ ref("brazilian_states") }}),

    renamed as (
        select
            customer_id,
            customer_unique_id,
            {{ zip_code_prefix("customer_zip_code_prefix") }} as zip_code_prefix,
            {{ standardize_city("customer_city") }} as city,
            upper(trim(customer_state)) as state,
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
            renamed._loaded_at
        from renamed
        left join states on renamed.state = states.state
    )

select *
from joined
