-- Grain: one row per dataset, loaded_at, part of the records; one with 0 of a part that has lost
-- all.
-- Only what is dear to score and depends on no seed. A record's row changes by a newer version
-- alone, which leaves its load's part for another load's: a part whose number of records is the
-- same holds the same records. A part is the month of purchase or the first character of the
-- order_id.
-- Another check of the staging models, or another var of theirs, wants --full-refresh.
{{
    config(
        materialized="incremental",
        incremental_strategy="delete+insert",
        unique_key=["dataset", "loaded_at", "part"],
    )
}}

{% set by_order_id = "coalesce(substr(order_id, 1, 1), '')" %}
{% set datasets = {
    "orders": {
        "columns": [
            "customer_id",
            "order_status",
            "purchased_local_at",
            "estimated_delivery_date",
        ],
        "part": "coalesce(cast("
        ~ period_start("month", "purchased_local_at")
        ~ " as varchar), '')",
        "staged_part": "cast(purchase_month as varchar)",
    },
    "order_items": {"columns": ["product_id", "seller_id", "price", "freight_value"]},
    "payments": {"columns": ["payment_type", "payment_installments", "payment_value"]},
    "reviews": {"columns": ["order_id", "review_score", "created_local_at"]},
} %}
-- A sample is small, and who is in it depends on more than the record: it is counted
-- whole.
{% set is_partial = execute and is_incremental() and sample_share_number() == 1 %}

{% set record_counts %}
    {% for dataset, settings in datasets.items() %}
        select
            '{{ dataset }}' as dataset,
            _loaded_at as loaded_at,
            {{ settings.part | default(by_order_id) }} as part,
            count(*) as records,
            count(quarantine_reason) as quarantined_records,
            {% for column in settings.columns -%}
                count({{ column }}) {{ "+" if not loop.last }}
            {%- endfor %} as present_values
        from {{ ref("base_" ~ dataset) }}
        group by _loaded_at, {{ settings.part | default(by_order_id) }}
        {{ "union all" if not loop.last }}
    {% endfor %}
{% endset %}

{% set changed_groups %}
    {% if not is_incremental() %} {{ record_counts }}
    {% else %}
        select
            coalesce(counted.dataset, seen.dataset) as dataset,
            coalesce(counted.loaded_at, seen.loaded_at) as loaded_at,
            coalesce(counted.part, seen.part) as part,
            coalesce(counted.records, 0) as records,
            coalesce(counted.quarantined_records, 0) as quarantined_records,
            coalesce(counted.present_values, 0) as present_values
        from ({{ record_counts }}) as counted
        full outer join
            (select dataset, loaded_at, part, records from {{ this }}) as seen
            on counted.dataset = seen.dataset
            and counted.loaded_at = seen.loaded_at
            and counted.part = seen.part
        {% if is_partial %}
            where coalesce(counted.records, 0) <> coalesce(seen.records, -1)
        {% endif %}
    {% endif %}
{% endset %}

-- A staging model scores a row before a join takes it out: which parts it is to score it is told in
-- literals, by the second of the load; more than that takes no part in the join.
{% set loads = {} %}
{% for dataset in datasets %} {% do loads.update({dataset: {}}) %} {% endfor %}
{% if is_partial %}
    {% for dataset, loaded_at, part in run_query(
        "select dataset, loaded_at, part from (" ~ changed_groups ~ ") as changed"
    ).rows %}
        {% do loads[dataset].setdefault((loaded_at | string)[:19], []).append(
            part.replace("'", "''")
        ) %}
    {% endfor %}
{% endif %}

with
    changed_groups as ({{ changed_groups }}),

    staged_counts as (
        {% for dataset, settings in datasets.items() %}
            {% set part = settings.staged_part | default(by_order_id) %}
            select
                '{{ dataset }}' as dataset,
                _loaded_at as loaded_at,
                {{ part }} as part,
                count(*) as staged_rows,
                sum(data_quality_score) as quality_scores,
                count(
                    case when data_quality_score < {{ var("data_quality_threshold") }} then 1 end
                ) as low_quality_rows,
                count(case when data_quality_score < 1 then 1 end) as imperfect_rows
            from {{ ref("stg_" ~ dataset) }}
            {% if is_partial %}
                where
                    {% for loaded_at, parts in loads[dataset].items() %}
                        {% set second = "cast('" ~ loaded_at ~ "' as timestamp)" %}
                        (
                            _loaded_at >= {{ second }}
                            and _loaded_at < {{ dbt.dateadd("second", 1, second) }}
                            and {{ part }} in ('{{ parts | join("', '") }}')
                        )
                        or
                    {% endfor %} false
            {% endif %}
            group by _loaded_at, {{ part }} {{ "union all" if not loop.last }}
        {% endfor %}
    ),

    joined as (
        select
            changed_groups.dataset,
            changed_groups.loaded_at,
            changed_groups.part,
            cast(changed_groups.records as bigint) as records,
            cast(changed_groups.quarantined_records as bigint) as quarantined_records,
            cast(changed_groups.present_values as bigint) as present_values,
            cast(
                changed_groups.records * case
                    changed_groups.dataset
                    {% for dataset, settings in datasets.items() %}
                        when '{{ dataset }}' then {{ settings.columns | length }}
                    {% endfor %}
                end as bigint
            ) as possible_values,
            cast(coalesce(staged_counts.staged_rows, 0) as bigint) as staged_rows,
            cast(coalesce(staged_counts.quality_scores, 0) as decimal(18, 4)) as quality_scores,
            cast(coalesce(staged_counts.low_quality_rows, 0) as bigint) as low_quality_rows,
            cast(coalesce(staged_counts.imperfect_rows, 0) as bigint) as imperfect_rows
        from changed_groups
        left join
            staged_counts
            on changed_groups.dataset = staged_counts.dataset
            and changed_groups.loaded_at = staged_counts.loaded_at
            and changed_groups.part = staged_counts.part
    )

select *
from joined
