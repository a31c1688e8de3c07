-- Every record that raw holds is in staging or in quarantine, once.
{% set keys = {
    "customers": ["customer_id"],
    "orders": ["order_id"],
    "order_items": ["order_id", "order_item_id"],
    "payments": ["order_id", "payment_sequential"],
    "reviews": ["review_id", "order_id"],
    "products": ["product_id"],
    "sellers": ["seller_id"],
} %}

with
    counted as (
        {% for dataset, key in keys.items() %}
            select
                '{{ dataset }}' as dataset,
                (
                    select count(distinct {{ raw_record_key(key) }})
                    from {{ source("olist", dataset) }}
                ) as raw_records,
                (select count(*) from {{ ref("stg_" ~ dataset) }}) as staged_records,
                (
                    select count(*) from {{ ref("stg_quarantine") }} where dataset = '{{ dataset }}'
                ) as quarantined_records
                {{ "union all" if not loop.last }}
        {% endfor %}
    )

select *
from counted
where raw_records <> staged_records + quarantined_records
