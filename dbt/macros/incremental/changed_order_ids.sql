{#- Orders that have a newly loaded record in any of their datasets, quarantined records included: a
    broken newest version changes its order too. Each dataset is compared with its own watermark, so
    that a run of a part of the models never hides what the other part has not seen. -#}
{%- macro changed_order_ids() -%}
    {%- set components = {
        "base_orders": "order_loaded_at",
        "base_order_items": "items_loaded_at",
        "base_payments": "payments_loaded_at",
        "base_reviews": "reviews_loaded_at",
    } -%}
    {%- for base, watermark in components.items() %}
        select order_id
        from {{ ref(base) }}
        where order_id is not null and _loaded_at > {{ olist.incremental_watermark(watermark) }}
        union all
    {%- endfor %}
    select order_id
    from {{ ref("base_orders") }}
    where
        order_id is not null
        and customer_id in (
            select customer_id
            from {{ ref("base_customers") }}
            where _loaded_at > {{ olist.incremental_watermark("customer_loaded_at") }}
        )
    union all
    select order_id
    from {{ ref("base_order_items") }}
    where
        product_id in (
            select product_id
            from {{ ref("base_products") }}
            where _loaded_at > {{ olist.incremental_watermark("products_loaded_at") }}
        )
        or product_id in (
            select products.product_id
            from {{ ref("base_products") }} as products
            inner join
                {{ ref("base_category_translation") }} as translations
                on products.product_category_name = translations.product_category_name
            where
                translations._loaded_at
                > {{ olist.incremental_watermark("translations_loaded_at") }}
        )
        or seller_id in (
            select seller_id
            from {{ ref("base_sellers") }}
            where _loaded_at > {{ olist.incremental_watermark("sellers_loaded_at") }}
        )
{%- endmacro -%}
