-- Grain: one row per measure, group_name: what each measure of an order is compared with.
{%- set measures = {
    "value": ("log_item_value", "main_category"),
    "freight": ("log_freight_per_item", "lane"),
    "delivery": ("delivery_days", "lane"),
    "installments": ("main_payment_installments", "main_payment_type"),
} %}
with
    measures as (
        select *
        from {{ ref("int_anomaly_measures") }}
        where is_in_staging and {{ is_placed_by_as_of_date("purchase_date") }}
    ),

    {% for measure, (column, group) in measures.items() %}
        {{ measure }}_groups as ({{ robust_statistics("measures", column, group) }}),

        {{ measure }}_population as ({{ robust_statistics("measures", column) }}),
    {% endfor %}

    baselines as (
        {% for measure in measures %}
            {{ robust_baselines(measure, measure ~ "_groups", measure ~ "_population") }}
            {{ "union all" if not loop.last }}
        {% endfor %}
    )

select *
from baselines
