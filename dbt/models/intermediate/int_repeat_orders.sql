-- Grain: one row per order_id of int_orders whose person has several orders: few, and ranking is
-- dear.
with
    orders as (select * from {{ ref("int_orders") }} where customer_unique_id is not null),

    repeat_orders as (
        select *
        from orders
        where
            customer_unique_id in (
                select customer_unique_id
                from orders
                group by customer_unique_id
                having count(*) > 1
            )
    ),

    numbered as (
        select
            order_id,
            customer_unique_id,
            is_valid,
            cast(
                row_number() over (
                    partition by customer_unique_id order by purchased_at asc, order_id asc
                ) as integer
            ) as person_order_number,
            case
                when is_valid
                then
                    cast(
                        row_number() over (
                            partition by customer_unique_id, is_valid
                            order by purchased_at asc, order_id asc
                        ) as integer
                    )
            end as person_valid_order_number,
            cast(
                count(*) over (partition by customer_unique_id, purchase_date) as integer
            ) as person_orders_that_day,
            sum(item_price) over (
                partition by customer_unique_id
                order by purchased_at asc, order_id asc
                rows between unbounded preceding and 1 preceding
            ) as earlier_item_price,
            count(case when item_price > 0 then 1 end) over (
                partition by customer_unique_id
                order by purchased_at asc, order_id asc
                rows between unbounded preceding and 1 preceding
            ) as earlier_orders
        from repeat_orders
    ),

    measured as (
        select
            order_id,
            customer_unique_id,
            is_valid,
            person_order_number,
            person_valid_order_number,
            person_orders_that_day,
            {{ ratio("earlier_item_price", "earlier_orders") }} as earlier_avg_item_price
        from numbered
    )

select *
from measured
