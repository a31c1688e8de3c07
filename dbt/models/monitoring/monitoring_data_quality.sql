-- Grain: one row per dataset of the source.
-- What has to be there for a row to be of use, beside its key. The datasets of orders, which are
-- long, are counted part by part in monitoring_record_counts.
{% set counted_by_part = ["orders", "order_items", "payments", "reviews"] %}
{% set datasets = {
    "customers": ["customer_unique_id", "customer_zip_code_prefix", "customer_state"],
    "products": [
        "product_category_name",
        "weight_g",
        "length_cm",
        "height_cm",
        "width_cm",
    ],
    "sellers": ["seller_zip_code_prefix", "seller_state"],
    "geolocation": [
        "geolocation_zip_code_prefix",
        "latitude",
        "longitude",
        "geolocation_state",
    ],
    "category_translation": ["product_category_name", "product_category_name_english"],
} %}
{% set tiers = var("data_quality_tiers") %}

with
    raw_counts as (
        {% for dataset in counted_by_part + datasets.keys() | list %}
            select '{{ dataset }}' as dataset, count(*) as raw_rows
            from {{ source("olist", dataset) }} {{ "union all" if not loop.last }}
        {% endfor %}
    ),

    parts as (select * from {{ ref("monitoring_record_counts") }}),

    record_counts as (
        {% for dataset, columns in datasets.items() %}
            select
                '{{ dataset }}' as dataset,
                count(*) as records,
                count(quarantine_reason) as quarantined_records,
                {% for column in columns -%}
                    count({{ column }}) {{ "+" if not loop.last }}
                {%- endfor %} as present_values,
                count(*) * {{ columns | length }} as possible_values
            from {{ ref("base_" ~ dataset) }}
            union all
        {% endfor %}
        {% for dataset in counted_by_part %}
            select
                '{{ dataset }}' as dataset,
                coalesce(sum(records), 0) as records,
                coalesce(sum(quarantined_records), 0) as quarantined_records,
                coalesce(sum(present_values), 0) as present_values,
                coalesce(sum(possible_values), 0) as possible_values
            from parts
            where dataset = '{{ dataset }}' {{ "union all" if not loop.last }}
        {% endfor %}
    ),

    staged_counts as (
        {% for dataset in datasets if dataset != "category_translation" %}
            select
                '{{ dataset }}' as dataset,
                count(*) as staged_rows,
                sum(data_quality_score) as quality_scores,
                count(
                    case when data_quality_score < {{ var("data_quality_threshold") }} then 1 end
                ) as low_quality_rows,
                count(case when data_quality_score < 1 then 1 end) as imperfect_rows
            from {{ ref("stg_" ~ dataset) }}
            union all
        {% endfor %}
        {% for dataset in counted_by_part %}
            select
                '{{ dataset }}' as dataset,
                coalesce(sum(staged_rows), 0) as staged_rows,
                sum(quality_scores) as quality_scores,
                coalesce(sum(low_quality_rows), 0) as low_quality_rows,
                coalesce(sum(imperfect_rows), 0) as imperfect_rows
            from parts
            where dataset = '{{ dataset }}' {{ "union all" if not loop.last }}
        {% endfor %}
    ),

    joined as (
        select
            raw_counts.dataset,
            raw_counts.raw_rows,
            record_counts.records,
            record_counts.quarantined_records,
            staged_counts.staged_rows,
            staged_counts.low_quality_rows,
            staged_counts.imperfect_rows,
            {{ ratio("record_counts.quarantined_records", "record_counts.records") }}
            as quarantined_share,
            {{ ratio("staged_counts.quality_scores", "staged_counts.staged_rows") }}
            as avg_data_quality_score,
            {{ ratio("staged_counts.low_quality_rows", "staged_counts.staged_rows") }}
            as low_quality_share,
            {{ ratio("record_counts.present_values", "record_counts.possible_values") }}
            as completeness
        from raw_counts
        inner join record_counts on raw_counts.dataset = record_counts.dataset
        left join staged_counts on raw_counts.dataset = staged_counts.dataset
    ),

    -- A chain is as strong as its weakest link; what a dataset does not have weakens nothing.
    scored as (
        select
            *,
            case
                when records > 0
                then
                    least(
                        1 - quarantined_share,
                        coalesce(completeness, 1),
                        coalesce(avg_data_quality_score, 1)
                    )
            end as quality_score
        from joined
    ),

    tiered as (
        select
            dataset,
            cast(raw_rows as bigint) as raw_rows,
            cast(records as bigint) as records,
            cast(raw_rows - records as bigint) as repeated_rows,
            cast(staged_rows as bigint) as staged_rows,
            cast(quarantined_records as bigint) as quarantined_records,
            round(quarantined_share, 6) as quarantined_share,
            round(avg_data_quality_score, 6) as avg_data_quality_score,
            cast(imperfect_rows as bigint) as imperfect_rows,
            cast(low_quality_rows as bigint) as low_quality_rows,
            round(low_quality_share, 6) as low_quality_share,
            round(completeness, 6) as completeness,
            round(quality_score, 6) as quality_score,
            case
                when quality_score is null
                then 'Unknown'
                {% for tier, minimum in tiers.items() %}
                    when quality_score >= {{ minimum }} then '{{ tier }}'
                {% endfor %}
            end as quality_tier
        from scored
    )

select *
from tiered
