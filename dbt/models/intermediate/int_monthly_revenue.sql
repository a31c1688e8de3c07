-- Grain: one row per calendar month from the first order's to the as_of_date's.
-- A month without an order is a row of zeros: up to the as_of_date it is known that there was none.
with
    orders as (
        select
            purchase_month,
            order_status,
            is_valid,
            estimated_delivery_date,
            items,
            item_price,
            freight_value,
            gmv,
            freight_revenue,
            payment_value,
            payment_gap
        from {{ ref("int_orders") }}
    ),

    reference as (select {{ as_of_date() }} as as_of_date),

    numbers as ({{ dbt.generate_series(600) }}),

    bounds as (select min(purchase_month) as first_month from orders),

    months as (
        select
            {{
                add_periods(
                    "month",
                    "cast(numbers.generated_number - 1 as integer)",
                    "bounds.first_month",
                )
            }} as month
        from bounds
        cross join numbers
    ),

    summed as (
        select
            orders.purchase_month as month,
            count(*) as orders_placed,
            count(case when orders.is_valid then 1 end) as orders,
            count(case when orders.is_valid and orders.items > 0 then 1 end) as orders_with_items,
            sum(orders.gmv) as gmv,
            sum(orders.freight_revenue) as freight_revenue,
            sum(case when orders.is_valid then orders.payment_value else 0 end) as payment_value,
            sum(case when orders.is_valid then orders.payment_gap else 0 end) as payment_gap,
            count(
                case
                    when
                        orders.is_valid
                        and abs(orders.payment_gap) > {{ var("payment_gap_tolerance") }}
                    then 1
                end
            ) as payment_gap_orders,
            count(case when not orders.is_valid then 1 end) as lost_orders,
            sum(
                case
                    when not orders.is_valid then orders.item_price + orders.freight_value else 0
                end
            ) as lost_order_value,
            sum(
                case when not orders.is_valid then orders.payment_value else 0 end
            ) as lost_payment_value,
            sum(
                case
                    when
                        orders.is_valid
                        and orders.order_status <> 'delivered'
                        and orders.estimated_delivery_date < reference.as_of_date
                    then orders.payment_value
                    else 0
                end
            ) as refunds_at_risk
        from orders
        cross join reference
        group by orders.purchase_month
    ),

    joined as (
        select
            months.month,
            {{ is_complete_period("month", "months.month") }} as is_complete,
            cast(coalesce(summed.orders_placed, 0) as integer) as orders_placed,
            cast(coalesce(summed.orders, 0) as integer) as orders,
            cast(coalesce(summed.orders_with_items, 0) as integer) as orders_with_items,
            cast(coalesce(summed.gmv, 0) as decimal(18, 2)) as gmv,
            cast(coalesce(summed.freight_revenue, 0) as decimal(18, 2)) as freight_revenue,
            cast(coalesce(summed.payment_value, 0) as decimal(18, 2)) as payment_value,
            cast(coalesce(summed.payment_gap, 0) as decimal(18, 2)) as payment_gap,
            cast(coalesce(summed.payment_gap_orders, 0) as integer) as payment_gap_orders,
            cast(coalesce(summed.lost_orders, 0) as integer) as lost_orders,
            cast(coalesce(summed.lost_order_value, 0) as decimal(18, 2)) as lost_order_value,
            cast(coalesce(summed.lost_payment_value, 0) as decimal(18, 2)) as lost_payment_value,
            cast(coalesce(summed.refunds_at_risk, 0) as decimal(18, 2)) as refunds_at_risk,
            reference.as_of_date
        from months
        cross join reference
        left join summed on months.month = summed.month
        where months.month <= reference.as_of_date
    )

select *
from joined
