-- Grain: one row per month, payment_type with an order placed.
-- An order paid by several types counts in the orders of each; its money stays with the type that
-- paid it, so that amounts add up to all payments.
{%- set bands = (var("installment_band_maximums").keys() | list) + ["Long"] %}
with
    orders as (select * from {{ ref("int_orders") }}),

    payments as (select * from {{ ref("stg_payments") }}),

    anomalies as (select order_id, severity, is_anomaly from {{ ref("int_order_anomalies") }}),

    order_payments as (
        select
            order_id,
            payment_type,
            payment_method_group,
            count(*) as payments,
            {% for band in bands %}
                count(
                    case when installment_band = '{{ band }}' then 1 end
                ) as {{ band | lower }}_payments,
                sum(
                    case when installment_band = '{{ band }}' then payment_value else 0 end
                ) as {{ band | lower }}_value,
            {% endfor %}
            sum(payment_value) as payment_value,
            max(payment_installments) as payment_installments
        from payments
        group by order_id, payment_type, payment_method_group
    ),

    vouchers as (select order_id from order_payments where payment_type = 'voucher'),

    joined as (
        select
            orders.purchase_month as month,
            order_payments.payment_type,
            order_payments.payment_method_group,
            order_payments.payments,
            order_payments.payment_value,
            order_payments.payment_installments,
            {% for band in bands %}
                order_payments.{{ band | lower }}_payments, order_payments.{{ band | lower }}_value,
            {% endfor %}
            orders.order_status,
            orders.is_valid,
            orders.approved_at is not null as is_approved,
            orders.approval_hours,
            orders.payment_types > 1 as is_combined,
            vouchers.order_id is not null as has_voucher,
            anomalies.is_anomaly,
            anomalies.severity
        from order_payments
        inner join orders on order_payments.order_id = orders.order_id
        inner join anomalies on order_payments.order_id = anomalies.order_id
        left join vouchers on order_payments.order_id = vouchers.order_id
    ),

    aggregated as (
        select
            month,
            payment_type,
            payment_method_group,
            count(*) as orders,
            count(case when is_valid then 1 end) as valid_orders,
            sum(payments) as payments,
            sum(payment_value) as payment_value,
            sum(case when is_valid then payment_value else 0 end) as valid_payment_value,
            sum(payment_installments) as installments,
            max(payment_installments) as max_installments,
            {% for band in bands %}
                sum({{ band | lower }}_payments) as {{ band | lower }}_payments,
                sum({{ band | lower }}_value) as {{ band | lower }}_value,
            {% endfor %}
            count(case when is_approved then 1 end) as approved_orders,
            sum(approval_hours) as approval_hours,
            count(approval_hours) as timed_approvals,
            median(cast(approval_hours as double)) as median_approval_hours,
            count(case when order_status = 'canceled' then 1 end) as canceled_orders,
            count(case when order_status = 'unavailable' then 1 end) as unavailable_orders,
            count(case when is_combined then 1 end) as combined_orders,
            count(case when has_voucher then 1 end) as voucher_orders,
            count(case when is_anomaly then 1 end) as anomalous_orders,
            count(case when severity in ('High', 'Critical') then 1 end) as severe_anomalies
        from joined
        group by month, payment_type, payment_method_group
    ),

    months as (select month, sum(payment_value) as payment_value from aggregated group by month),

    month_orders as (
        select purchase_month as month, count(*) as orders
        from orders
        where payments > 0
        group by purchase_month
    ),

    measured as (
        select
            aggregated.month,
            aggregated.payment_type,
            aggregated.payment_method_group,
            {{ is_complete_period("month", "aggregated.month") }} as is_complete,
            cast(aggregated.orders as integer) as orders,
            cast(aggregated.valid_orders as integer) as valid_orders,
            cast(aggregated.payments as integer) as payments,
            cast(aggregated.payment_value as decimal(18, 2)) as payment_value,
            cast(aggregated.valid_payment_value as decimal(18, 2)) as valid_payment_value,
            {{ ratio("aggregated.payment_value", "months.payment_value") }} as share_of_value,
            {{ ratio("aggregated.orders", "month_orders.orders") }} as share_of_orders,
            {{ ratio("aggregated.payment_value", "aggregated.orders") }} as average_ticket,
            {{ ratio("aggregated.installments", "aggregated.orders") }} as avg_installments,
            cast(aggregated.max_installments as integer) as max_installments,
            {% for band in bands %}
                cast(
                    aggregated.{{ band | lower }}_payments as integer
                ) as {{ band | lower }}_payments,
                cast(
                    aggregated.{{ band | lower }}_value as decimal(18, 2)
                ) as {{ band | lower }}_value,
            {% endfor %}
            cast(aggregated.approved_orders as integer) as approved_orders,
            {{ ratio("aggregated.approved_orders", "aggregated.orders") }} as approval_rate,
            {{ ratio("aggregated.approval_hours", "aggregated.timed_approvals") }}
            as avg_approval_hours,
            cast(aggregated.median_approval_hours as double) as median_approval_hours,
            cast(aggregated.canceled_orders as integer) as canceled_orders,
            {{ ratio("aggregated.canceled_orders", "aggregated.orders") }} as cancellation_rate,
            cast(aggregated.unavailable_orders as integer) as unavailable_orders,
            cast(aggregated.combined_orders as integer) as combined_orders,
            {{ ratio("aggregated.combined_orders", "aggregated.orders") }} as combined_rate,
            cast(aggregated.voucher_orders as integer) as voucher_orders,
            {{ ratio("aggregated.voucher_orders", "aggregated.orders") }} as voucher_rate,
            cast(aggregated.anomalous_orders as integer) as anomalous_orders,
            {{ ratio("aggregated.anomalous_orders", "aggregated.orders") }} as anomaly_rate,
            cast(aggregated.severe_anomalies as integer) as severe_anomalies,
            {{ ratio("aggregated.severe_anomalies", "aggregated.orders") }} as severe_anomaly_rate
        from aggregated
        inner join months on aggregated.month = months.month
        inner join month_orders on aggregated.month = month_orders.month
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
