-- The value at risk of an alert is what staging says was paid for the order, to the cent; without a
-- payment, what its items cost.
with
    payments as (
        select order_id, sum(payment_value) as payment_value
        from {{ ref("stg_payments") }}
        group by order_id
    ),

    items as (
        select order_id, sum(item_value) as item_value
        from {{ ref("stg_order_items") }}
        group by order_id
    )

select alerts.order_id, alerts.value_at_risk, payments.payment_value, items.item_value
from {{ ref("mart_fraud_monitoring") }} as alerts
left join payments on alerts.order_id = payments.order_id
left join items on alerts.order_id = items.order_id
where alerts.value_at_risk <> coalesce(payments.payment_value, items.item_value, 0)
