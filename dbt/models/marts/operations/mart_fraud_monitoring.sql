-- Grain: one row per order_id whose risk_score makes it an alert. Rules: the seed fraud_rules, in
-- whose order the reasons stand.
{%- set observed = {
    "high_value": "value_at_risk",
    "unusual_value": "z_value",
    "new_customer_high_value": "case when person_order_number = 1 then typical_value_multiple end",
    "history_deviation": "history_multiple",
    "several_orders_a_day": "person_orders_that_day",
    "unusual_installments": "case when has_installments_signal then z_installments end",
    "payment_break": "case when items > 0 then abs(payment_gap) end",
    "large_payment_break": "case when items > 0 then abs(payment_gap) end",
    "many_payments": "payments",
    "high_value_voucher": "case when main_payment_type = 'voucher' then payment_value end",
    "undefined_payment": "case when main_payment_type = 'not_defined' then 1 end",
    "paid_without_items": "case when items = 0 then payment_value end",
    "canceled_after_approval": "case when order_status = 'canceled' and approved_at is not null then 1 end",
    "large_basket": "items",
    "many_sellers": "sellers",
    "overdue_undelivered": "overdue_days",
    "complaint_without_delivery": "case when not has_arrived and review_score <= "
    ~ var("complaint_review_score")
    ~ " then 1 end",
    "unusual_freight": "z_freight",
    "impossible_timestamps": "case when is_out_of_order then 1 end",
    "night_order": "case when has_night_signal then 1 end",
} -%}
{%- set minimums = var("fraud_severity_minimums") -%}
{%- set z_score_rules = ["unusual_value", "unusual_installments", "unusual_freight"] -%}
{%- set urgent = "severity in ('P0', 'P1')" %}
with
    orders as (select * from {{ ref("int_orders") }}),

    anomalies as (select * from {{ ref("int_order_anomalies") }}),

    rules as ({{ rule_parameters(ref("fraud_rules"), observed, z_score_rules) }}),

    -- The first moment after the as_of_date.
    reference as (
        select
            {{
                standardize_timestamp(
                    "cast(" ~ add_periods("day", 1, as_of_date()) ~ " as timestamp)"
                )
            }} as as_of_end
    ),

    -- Few orders say nothing of a share.
    budget as (
        select
            case
                when count(*) < {{ var("distribution_min_orders") }}
                then count(*)
                else floor(count(*) * {{ var("fraud_alert_max_share") }})
            end as alerts
        from orders
    ),

    joined as (
        select
            orders.order_id,
            orders.customer_unique_id,
            orders.customer_state,
            orders.customer_region,
            orders.order_status,
            orders.is_valid,
            -- Of some delivered orders nobody noted the day.
            orders.is_delivered or orders.order_status = 'delivered' as has_arrived,
            orders.purchased_at,
            orders.approved_at,
            orders.shipped_at,
            orders.estimated_delivery_date,
            orders.purchase_date,
            orders.purchase_hour,
            orders.has_impossible_timestamps as is_out_of_order,
            orders.items,
            orders.sellers,
            orders.payments,
            orders.payment_installments,
            orders.payment_value,
            orders.payment_gap,
            orders.review_score,
            coalesce(orders.main_payment_type, 'none') as main_payment_type,
            cast(
                coalesce(orders.payment_value, orders.item_price + orders.freight_value) as decimal(
                    18, 2
                )
            ) as value_at_risk,
            anomalies.main_category,
            anomalies.main_seller_state,
            anomalies.z_value,
            anomalies.z_freight,
            anomalies.z_installments,
            anomalies.typical_value_multiple,
            anomalies.history_multiple,
            anomalies.person_order_number,
            anomalies.person_orders_that_day,
            anomalies.overdue_days,
            anomalies.has_night_order as has_night_signal,
            anomalies.has_unusual_installments as has_installments_signal,
            anomalies.anomaly_kind,
            anomalies.anomaly_score
        from orders
        inner join anomalies on orders.order_id = anomalies.order_id
    ),

    ruled as (
        select
            joined.*,
            {% for rule_id, expression in observed.items() %}
                {{ rule_columns(rule_id, expression) }} {{ "," if not loop.last }}
            {% endfor %}
        from joined
        cross join rules
    ),

    scored as (
        select
            ruled.*,
            {{ rules_fired(observed) }} as rules_fired,
            round({{ rule_points(observed) }}, 2) as risk_points
        from ruled
        cross join rules
    ),

    alerts as (
        select
            scored.*,
            case when risk_points > 100 then 100 else risk_points end as risk_score,
            {{ tier("risk_points", minimums) }} as severity,
            {{ rule_reasons(observed) }} as reasons,
            -- What rests on a missing delivery cannot be known before it is overdue.
            case
                when has_overdue_undelivered
                then
                    {{
                        standardize_timestamp(
                            "cast("
                            ~ dbt.dateadd(
                                "day",
                                "cast(floor(overdue_undelivered_threshold) as integer) + 1",
                                "estimated_delivery_date",
                            )
                            ~ " as timestamp)"
                        )
                    }}
                else purchased_at
            end as raised_at
        from scored
        cross join rules
        cross join budget
        where risk_points >= {{ minimums.values() | min }}
        -- Of more than people can work on the riskiest.
        qualify
            row_number() over (order by risk_points desc, value_at_risk desc, order_id asc)
            <= budget.alerts
    ),

    due as (
        select
            alerts.*,
            {{
                dbt.dateadd(
                    "minute",
                    value_of_tier("severity", var("fraud_response_minutes")),
                    "raised_at",
                )
            }} as respond_by
        from alerts
    ),

    answered as (
        select
            due.*,
            case
                when due.respond_by >= reference.as_of_end
                then 'Open'
                when
                    {{ dbt.dateadd("day", var("fraud_alert_open_days"), "due.respond_by") }}
                    >= reference.as_of_end
                then 'Overdue'
                else 'Expired'
            end as alert_status,
            case
                when items = 0 or not is_valid
                then 'Confirm Refund'
                when shipped_at is null and not has_arrived and {{ urgent }}
                then 'Hold Shipment'
                when shipped_at is null and not has_arrived
                then 'Verify Before Shipping'
                when not has_arrived
                then 'Trace Shipment'
                when has_payment_break
                then 'Reconcile Payment'
                when {{ urgent }}
                then 'Review for Chargeback'
                else 'Monitor Customer'
            end as recommended_action
        from due
        cross join reference
    ),

    ranked as (
        select
            order_id,
            cast(
                row_number() over (
                    order by
                        case when alert_status = 'Expired' then 1 else 0 end asc,
                        severity asc,
                        value_at_risk desc,
                        risk_score desc,
                        order_id asc
                ) as integer
            ) as priority_rank,
            severity,
            cast(risk_score as double) as risk_score,
            cast(rules_fired as integer) as rules_fired,
            reasons,
            recommended_action,
            alert_status,
            raised_at,
            respond_by,
            value_at_risk,
            cast(
                round(
                    value_at_risk * {{ value_of_tier("severity", var("fraud_loss_rates")) }}, 2
                ) as decimal(18, 2)
            ) as expected_loss,
            customer_unique_id,
            customer_state,
            customer_region,
            main_seller_state as seller_state,
            main_category,
            order_status,
            purchase_date,
            purchase_hour,
            main_payment_type,
            payments,
            payment_installments,
            payment_value,
            payment_gap,
            items,
            sellers,
            review_score,
            anomaly_kind,
            anomaly_score,
            {% for rule_id in observed %} has_{{ rule_id }}, {% endfor %}
            {{ as_of_date() }} as as_of_date
        from answered
    )

select *
from ranked
