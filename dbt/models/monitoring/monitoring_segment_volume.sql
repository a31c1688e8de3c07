-- Grain: one row per dimension, segment, business_date from the segment's first day to the
-- as_of_date.
with
    orders as (select * from {{ ref("int_orders") }}),

    counts as (
        select
            'customer_state' as dimension,
            customer_state as segment,
            purchase_date as business_date,
            count(*) as row_count
        from orders
        group by customer_state, purchase_date
        union all
        select
            'main_payment_type' as dimension,
            coalesce(main_payment_type, 'unknown') as segment,
            purchase_date as business_date,
            count(*) as row_count
        from orders
        group by coalesce(main_payment_type, 'unknown'), purchase_date
    ),

    {{ volume_expectation("counts", ["dimension", "segment"]) }}

select *
from judged
