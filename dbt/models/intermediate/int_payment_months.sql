-- Grain: one row per purchase_month, payment_type with an order placed; and one without a type of a
-- month without a payment.
-- An order paid by several types counts in the orders of each; its money stays with the type that
-- paid it. Nothing here depends on other months: mart_payment_method_performance compares them.
{{
    config(
        materialized="incremental",
        incremental_strategy="delete+insert",
        unique_key="purchase_month",
        cluster_by=["purchase_month"],
    )
}}
{%- set bands = (var("installment_band_maximums").keys() | list) + ["Long"] %}

with
    all_orders as (
        select
            order_id,
            purchase_month,
            purchase_date,
            order_status,
            is_valid,
            approved_at,
            approval_hours,
            payments,
            payment_types,
            built_at
        from {{ ref("int_orders") }}
    ),

    changed_months as ({{ changed_keys("all_orders", ["purchase_month"]) }}),

    orders as (
        select * from all_orders where purchase_month in (select purchase_month from changed_months)
    ),

    payments as (
        select
            order_id,
            payment_type,
            payment_method_group,
            installment_band,
            payment_installments,
            payment_value
        from {{ ref("stg_payments") }}
        where order_id in (select order_id from orders)
    ),

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
            orders.purchase_month,
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
            vouchers.order_id is not null as has_voucher
        from order_payments
        inner join orders on order_payments.order_id = orders.order_id
        left join vouchers on order_payments.order_id = vouchers.order_id
    ),

    aggregated as (
        select
            purchase_month,
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
            count(case when has_voucher then 1 end) as voucher_orders
        from joined
        group by purchase_month, payment_type, payment_method_group
    ),

    month_orders as (
        select purchase_month, count(*) as orders
        from orders
        where payments > 0
        group by purchase_month
    ),

    -- A month without a payment keeps a row too: it tells which orders it was made from.
    versioned as (
        select
            changed_months.purchase_month,
            aggregated.payment_type,
            aggregated.payment_method_group,
            cast(coalesce(aggregated.orders, 0) as integer) as orders,
            cast(month_orders.orders as integer) as month_orders,
            cast(aggregated.valid_orders as integer) as valid_orders,
            cast(aggregated.payments as integer) as payments,
            cast(aggregated.payment_value as decimal(18, 2)) as payment_value,
            cast(aggregated.valid_payment_value as decimal(18, 2)) as valid_payment_value,
            cast(aggregated.installments as integer) as installments,
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
            cast(aggregated.approval_hours as decimal(24, 6)) as approval_hours,
            cast(aggregated.timed_approvals as integer) as timed_approvals,
            cast(aggregated.median_approval_hours as double) as median_approval_hours,
            cast(aggregated.canceled_orders as integer) as canceled_orders,
            cast(aggregated.unavailable_orders as integer) as unavailable_orders,
            cast(aggregated.combined_orders as integer) as combined_orders,
            cast(aggregated.voucher_orders as integer) as voucher_orders,
            cast(changed_months.version_orders as integer) as version_orders,
            changed_months.version_built_at,
            changed_months.version_purchase_date
        from changed_months
        left join aggregated on changed_months.purchase_month = aggregated.purchase_month
        left join month_orders on changed_months.purchase_month = month_orders.purchase_month
    )

select *
from versioned
