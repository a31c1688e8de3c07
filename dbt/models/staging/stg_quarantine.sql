-- Grain: one row per record (newest version) that staging refuses, with every reason.
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
    quarantined as (
        {% for dataset in datasets %}
            select
                '{{ dataset }}' as dataset,
                record_key,
                quarantine_reason as reason,
                _source_file,
                _source_row,
                _loaded_at
            from {{ ref("base_" ~ dataset) }}
            where quarantine_reason is not null {{ "union all" if not loop.last }}
        {% endfor %}
    )

select *
from quarantined
