-- Grain: one row per order_id of int_orders, undelivered and invalid orders included.
-- Signals fire by the seed anomaly_signals, in whose order the reasons stand.
{%- set observed = {
    "high_first_order": "case when person_order_number = 1 then typical_value_multiple end",
    "payment_break": "case when items > 0 then abs(payment_gap) end",
    "paid_without_items": "case when items = 0 then payment_value end",
    "unusual_installments": "case when main_payment_installments > "
    ~ var("ordinary_installments")
    ~ " then abs(z_installments) end",
    "many_payments": "payments",
    "mixed_payment_types": "payment_types",
    "history_deviation": "history_multiple",
    "unusual_value": "abs(z_value)",
    "many_sellers": "sellers",
    "many_seller_states": "seller_states",
    "many_categories": "category_groups",
    "large_basket": "items",
    "overdue_undelivered": "overdue_days",
    "unusual_delivery": "abs(z_delivery)",
    "unusual_freight": "abs(z_freight)",
    "impossible_timestamps": "case when is_out_of_order then 1 end",
    "night_order": "case when purchase_hour between "
    ~ var("night_first_hour")
    ~ " and "
    ~ var("night_last_hour")
    ~ " then 1 end",
} -%}
{%- set z_score_signals = [
    "unusual_installments",
    "unusual_value",
    "unusual_delivery",
    "unusual_freight",
] -%}
{#- Families of signals: an order whose signals come from several is suspicious in itself. -#}
{%- set families = {
    "value": ["high_first_order", "history_deviation", "unusual_value"],
    "payment": [
        "payment_break",
        "paid_without_items",
        "unusual_installments",
        "many_payments",
    ],
    "basket": ["many_sellers", "many_seller_states", "many_categories", "large_basket"],
    "logistics": ["overdue_undelivered", "unusual_delivery", "unusual_freight"],
    "record": ["impossible_timestamps"],
} -%}
{#- The first kind of which a signal fired; before them Normal and Multiple Factors. -#}
{%- set kinds = {
    "New Customer High Value": ["high_first_order"],
    "Payment Mismatch": ["payment_break", "paid_without_items"],
    "Unusual Payment": ["unusual_installments", "many_payments"],
    "Behavioral Deviation": ["history_deviation"],
    "Unusual Value": ["unusual_value"],
    "Suspicious Complexity": families["basket"],
    "Logistics Issue": families["logistics"],
    "Record Fault": families["record"],
    "Unusual Circumstances": ["mixed_payment_types", "night_order"],
} %}
with
    orders as (select * from {{ ref("int_orders") }}),

    measures as (select * from {{ ref("int_anomaly_measures") }}),

    repeat_orders as (select * from {{ ref("int_repeat_orders") }}),

    baselines as (select * from {{ ref("int_anomaly_baselines") }}),

    rules as ({{ rule_parameters(ref("anomaly_signals"), observed, z_score_signals) }}),

    reference as (select {{ as_of_date() }} as as_of_date),

    compared as (
        select
            orders.order_id,
            orders.purchase_date,
            orders.purchase_hour,
            orders.is_valid,
            orders.has_impossible_timestamps as is_out_of_order,
            orders.items,
            orders.sellers,
            orders.payments,
            orders.payment_types,
            orders.payment_value,
            orders.payment_gap,
            measures.main_category,
            measures.lane,
            measures.main_payment_type,
            measures.main_payment_installments,
            measures.category_groups,
            measures.seller_states,
            measures.main_seller_state,
            case
                when orders.customer_unique_id is not null
                then coalesce(repeat_orders.person_order_number, 1)
            end as person_order_number,
            case
                when orders.customer_unique_id is not null
                then coalesce(repeat_orders.person_orders_that_day, 1)
            end as person_orders_that_day,
            {{
                calculate_z_score(
                    "measures.log_item_value",
                    "value_baselines.median_value",
                    "value_baselines.spread",
                )
            }} as z_value,
            {{
                calculate_z_score(
                    "measures.log_freight_per_item",
                    "freight_baselines.median_value",
                    "freight_baselines.spread",
                )
            }} as z_freight,
            {{
                calculate_z_score(
                    "measures.delivery_days",
                    "delivery_baselines.median_value",
                    "delivery_baselines.spread",
                )
            }} as z_delivery,
            {{
                calculate_z_score(
                    "measures.main_payment_installments",
                    "installments_baselines.median_value",
                    "installments_baselines.spread",
                )
            }} as z_installments,
            exp(value_baselines.median_value) as typical_item_value,
            {{ ratio("orders.item_price", "exp(value_baselines.median_value)") }}
            as typical_value_multiple,
            {{ ratio("orders.item_price", "repeat_orders.earlier_avg_item_price") }}
            as history_multiple,
            case
                when
                    orders.is_valid
                    and orders.order_status <> 'delivered'
                    and orders.estimated_delivery_date < reference.as_of_date
                then
                    {{
                        dbt.datediff(
                            "orders.estimated_delivery_date", "reference.as_of_date", "day"
                        )
                    }}
            end as overdue_days
        from orders
        inner join measures on orders.order_id = measures.order_id
        cross join reference
        left join
            baselines as value_baselines
            on measures.main_category = value_baselines.group_name
            and value_baselines.measure = 'value'
        left join
            baselines as freight_baselines
            on measures.lane = freight_baselines.group_name
            and freight_baselines.measure = 'freight'
        left join
            baselines as delivery_baselines
            on measures.lane = delivery_baselines.group_name
            and delivery_baselines.measure = 'delivery'
        left join
            baselines as installments_baselines
            on measures.main_payment_type = installments_baselines.group_name
            and installments_baselines.measure = 'installments'
        -- Last: DuckDB expects few orders behind the inner join, and would hash them all here.
        left join repeat_orders on orders.order_id = repeat_orders.order_id
    ),

    signalled as (
        select
            compared.*,
            {% for signal, expression in observed.items() %}
                {{ rule_columns(signal, expression) }} {{ "," if not loop.last }}
            {% endfor %}
        from compared
        cross join rules
    ),

    scored as (
        select
            signalled.*,
            {{ rules_fired(observed) }} as signals,
            {% for signals in families.values() %}
                case when {{ any_rule_fired(signals) }} then 1 else 0 end {{ "+" if not loop.last }}
            {% endfor %} as signal_families,
            round({{ rule_points(observed) }}, 2) as anomaly_score,
            -- Sentences are dear and most orders are ordinary.
            case when {{ any_rule_fired(observed) }} then {{ rule_reasons(observed) }} end as reason
        from signalled
        cross join rules
    ),

    judged as (
        select
            order_id,
            purchase_date,
            purchase_hour,
            is_valid,
            main_category,
            main_seller_state,
            lane,
            main_payment_type,
            cast(main_payment_installments as integer) as main_payment_installments,
            z_value,
            z_freight,
            z_delivery,
            z_installments,
            cast(typical_item_value as double) as typical_item_value,
            typical_value_multiple,
            person_order_number,
            person_orders_that_day,
            history_multiple,
            seller_states,
            category_groups,
            cast(overdue_days as integer) as overdue_days,
            {% for signal in observed %} has_{{ signal }}, {% endfor %}
            cast(signals as integer) as signals,
            cast(signal_families as integer) as signal_families,
            cast(anomaly_score as double) as anomaly_score,
            coalesce(
                {{ tier("anomaly_score", var("anomaly_severity_minimums")) }}, 'Normal'
            ) as severity,
            case
                when anomaly_score < {{ var("anomaly_severity_minimums").values() | min }}
                then 'Normal'
                when signal_families >= {{ var("anomaly_multiple_factor_families") }}
                then 'Multiple Factors'
                {% for kind, signals in kinds.items() %}
                    when {{ any_rule_fired(signals) }} then '{{ kind }}'
                {% endfor %}
            end as anomaly_kind,
            anomaly_score >= {{ var("anomaly_severity_minimums").values() | min }} as is_anomaly,
            reason
        from scored
    )

select *
from judged
