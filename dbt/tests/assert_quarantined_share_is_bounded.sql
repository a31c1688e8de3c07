-- No dataset loses more than the environment's share of its records to quarantine.
{{ config(group="data_platform") }}

{% set datasets = [
    "customers",
    "orders",
    "order_items",
    "payments",
    "reviews",
    "products",
    "sellers",
    "geolocation",
    "category_translation",
] %}

with
    shares as (
        {% for dataset in datasets %}
            select
                '{{ dataset }}' as dataset,
                count(*) as records,
                count(quarantine_reason) as quarantined
            from {{ ref("base_" ~ dataset) }} {{ "union all" if not loop.last }}
        {% endfor %}
    )

select *
from shares
where quarantined > records * {{ env_var("OLIST_QUARANTINE_MAX_SHARE") | float }}
