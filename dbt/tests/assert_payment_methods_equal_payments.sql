-- Payment values of mart_payment_method_performance, by month and type, equal those straight from
-- staging, and by month those of int_orders, to the cent.
with
    staged as (
        select
            orders.purchase_month as month,
            payments.payment_type,
            sum(payments.payment_value) as payment_value,
            count(*) as payments,
            count(distinct payments.order_id) as orders
        from {{ ref("stg_payments") }} as payments
        inner join {{ ref("stg_orders") }} as orders on payments.order_id = orders.order_id
        where orders.purchase_date <= {{ as_of_date() }}
        group by orders.purchase_month, payments.payment_type
    ),

    performance as (select * from {{ ref("mart_payment_method_performance") }}),

    by_type as (
        select
            coalesce(staged.month, performance.month) as month,
            coalesce(staged.payment_type, performance.payment_type) as payment_type
        from staged
        full outer join
            performance
            on staged.month = performance.month
            and staged.payment_type = performance.payment_type
        where
            staged.month is null
            or performance.month is null
            or staged.payment_value <> performance.payment_value
            or staged.payments <> performance.payments
            or staged.orders <> performance.orders
    ),

    by_month as (
        select orders.month
        from
            (
                select purchase_month as month, sum(payment_value) as payment_value
                from {{ ref("int_orders") }}
                where payments > 0
                group by purchase_month
            ) as orders
        full outer join
            (
                select month, sum(payment_value) as payment_value from performance group by month
            ) as summed
            on orders.month = summed.month
        where coalesce(orders.payment_value, -1) <> coalesce(summed.payment_value, -1)
    )

select month, payment_type
from by_type
union all
select month, 'all types' as payment_type
from by_month
