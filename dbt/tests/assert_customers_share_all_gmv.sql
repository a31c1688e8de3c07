-- The people of int_customer_360 hold the orders of everybody who is known, and their GMV to the
-- cent.
with
    expected as (
        select count(*) as orders, coalesce(sum(gmv), 0) as gmv
        from {{ ref("int_orders") }}
        where is_valid and customer_unique_id is not null
    ),

    actual as (
        select coalesce(sum(orders), 0) as orders, coalesce(sum(gmv), 0) as gmv
        from {{ ref("int_customer_360") }}
    )

select expected.*, actual.orders as actual_orders, actual.gmv as actual_gmv
from expected
cross join actual
where expected.orders <> actual.orders or expected.gmv <> actual.gmv
