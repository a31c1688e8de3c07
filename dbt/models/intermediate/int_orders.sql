-- Grain: one row per order_id purchased on or before the as_of_date.
{{ config(materialized="view") }}

with
    facts as (select * from {{ ref("int_order_facts") }} where is_in_staging),

    states as (select * from {{ ref("brazilian_states") }}),

    joined as (
        select
            facts.order_id,
            facts.customer_id,
            facts.customer_unique_id,
            facts.customer_state,
            coalesce(states.region, 'Unknown') as customer_region,
            facts.order_status,
            facts.is_valid,
            facts.purchased_at,
            facts.approved_at,
            facts.shipped_at,
            facts.delivered_at,
            facts.estimated_delivery_date,
            facts.purchase_date,
            facts.purchase_month,
            facts.purchase_weekday,
            facts.purchase_hour,
            facts.delivered_date,
            facts.is_delivered,
            facts.is_on_time,
            facts.delivery_days,
            facts.delay_days,
            facts.approval_hours,
            facts.has_impossible_timestamps,
            facts.items,
            facts.sellers,
            facts.products,
            facts.item_price,
            facts.freight_value,
            facts.gmv,
            facts.freight_revenue,
            facts.payments,
            facts.payment_types,
            facts.main_payment_type,
            facts.payment_installments,
            facts.payment_value,
            facts.payment_gap,
            facts.reviews,
            facts.review_score,
            facts.has_review_comment,
            facts.review_answer_hours,
            facts.built_at
        from facts
        left join states on facts.customer_state = states.state
        where {{ is_placed_by_as_of_date("facts.purchase_date") }}
    )

select *
from joined
