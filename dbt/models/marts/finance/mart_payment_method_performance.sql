-- Grain: one row per month, payment_type with an order placed.
-- An order paid by several types counts in the orders of each; its money stays with the type that
-- paid it, so that amounts add up to all payments.
{%- set bands = (var("installment_band_maximums").keys() | list) + ["Long"] %}
with
    aggregated as (select * from {{ ref("int_payment_months") }} where orders > 0),

    anomalies as (
        select order_id, {{ period_start("month", "purchase_date") }} as month, severity
        from {{ ref("int_order_anomalies") }}
        where is_anomaly
    ),

    payment_types as (
        select order_id, payment_type
        from {{ ref("stg_payments") }}
        where order_id in (select order_id from anomalies)
        group by order_id, payment_type
    ),

    -- What is an anomaly depends on all orders, so these are counted again each time.
    month_anomalies as (
        select
            anomalies.month,
            payment_types.payment_type,
            count(*) as anomalous_orders,
            count(
                case when {{ is_severe_anomaly("anomalies.severity") }} then 1 end
            ) as severe_anomalies
        from payment_types
        inner join anomalies on payment_types.order_id = anomalies.order_id
        group by anomalies.month, payment_types.payment_type
    ),

    months as (
        select purchase_month, sum(payment_value) as payment_value
        from aggregated
        group by purchase_month
    ),

    joined as (
        select
            aggregated.*,
            aggregated.purchase_month as month,
            months.payment_value as month_payment_value,
            cast(coalesce(month_anomalies.anomalous_orders, 0) as integer) as anomalous_orders,
            cast(coalesce(month_anomalies.severe_anomalies, 0) as integer) as severe_anomalies
        from aggregated
        inner join months on aggregated.purchase_month = months.purchase_month
        left join
            month_anomalies
            on aggregated.purchase_month = month_anomalies.month
            and aggregated.payment_type = month_anomalies.payment_type
    ),

    measured as (
        select
            month,
            payment_type,
            payment_method_group,
            {{ is_complete_period("month", "month") }} as is_complete,
            orders,
            valid_orders,
            payments,
            payment_value,
            valid_payment_value,
            {{ ratio("payment_value", "month_payment_value") }} as share_of_value,
            {{ ratio("orders", "month_orders") }} as share_of_orders,
            {{ ratio("payment_value", "orders") }} as average_ticket,
            {{ ratio("installments", "orders") }} as avg_installments,
            max_installments,
            {% for band in bands %}
                {{ band | lower }}_payments, {{ band | lower }}_value,
            {% endfor %}
            approved_orders,
            {{ ratio("approved_orders", "orders") }} as approval_rate,
            {{ ratio("approval_hours", "timed_approvals") }} as avg_approval_hours,
            median_approval_hours,
            canceled_orders,
            {{ ratio("canceled_orders", "orders") }} as cancellation_rate,
            unavailable_orders,
            combined_orders,
            {{ ratio("combined_orders", "orders") }} as combined_rate,
            voucher_orders,
            {{ ratio("voucher_orders", "orders") }} as voucher_rate,
            anomalous_orders,
            {{ ratio("anomalous_orders", "orders") }} as anomaly_rate,
            severe_anomalies,
            {{ ratio("severe_anomalies", "orders") }} as severe_anomaly_rate
        from joined
    ),

    grown as (
        select
            measured.*,
            cast(
                row_number() over (
                    partition by measured.month
                    order by measured.payment_value desc, measured.payment_type asc
                ) as integer
            ) as value_rank,
            {{ growth("measured", "previous", "payment_value") }} as payment_value_mom_growth,
            {{ growth("measured", "previous", "orders") }} as orders_mom_growth,
            {{ growth("measured", "previous", "average_ticket") }} as average_ticket_mom_growth,
            case
                when measured.orders < {{ var("payment_health_min_orders") }}
                then 'Too Few Orders'
                {% for tier, limits in var("payment_health_limits").items() %}
                    when
                        measured.cancellation_rate <= {{ limits["max_cancellation_rate"] }}
                        and measured.severe_anomaly_rate <= {{ limits["max_severe_anomaly_rate"] }}
                        and measured.approval_rate >= {{ limits["min_approval_rate"] }}
                    then '{{ tier }}'
                {% endfor %}
                else 'Poor'
            end as health_tier
        from measured
        left join
            measured as previous
            on measured.payment_type = previous.payment_type
            and {{ add_periods("month", -1, "measured.month") }} = previous.month
    )

select *
from grown
