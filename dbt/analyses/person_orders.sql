-- Grain: one row per valid order of a person up to the last day of ordinary trade: what the
-- purchase
-- and spend models are fitted on and judged by. `olist models fit` runs it.
with
    orders as (select * from {{ ref("int_orders") }}),

    reference as (select {{ observation_end() }} as observation_end),

    joined as (
        select
            orders.customer_unique_id,
            orders.order_id,
            orders.customer_region as region,
            orders.purchased_at,
            orders.purchase_date,
            reference.observation_end,
            {{
                standardize_timestamp(
                    "cast("
                    ~ add_periods("day", 1, "reference.observation_end")
                    ~ " as timestamp)"
                )
            }} as observed_until,
            cast(orders.gmv + orders.freight_revenue as double) as order_value,
            orders.items > 0 as has_items,
            cast(
                {{
                    contribution_margin(
                        "orders.gmv", "orders.freight_revenue", "orders.payment_value"
                    )
                }} as double
            ) as contribution_margin
        from orders
        cross join reference
        where
            orders.is_valid
            and orders.customer_unique_id is not null
            and orders.purchase_date <= reference.observation_end
    )

select *
from joined
