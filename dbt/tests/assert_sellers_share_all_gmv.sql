-- The sellers of mart_seller_management are all sellers, and their GMV adds up to that of valid
-- orders' items, to the cent; items of a seller that staging refused have no seller to count for.
with
    expected as (
        select
            (select count(*) from {{ ref("stg_sellers") }}) as sellers,
            (
                select coalesce(sum(order_items.price), 0)
                from {{ ref("stg_order_items") }} as order_items
                inner join
                    {{ ref("int_orders") }} as orders on order_items.order_id = orders.order_id
                inner join
                    {{ ref("stg_sellers") }} as sellers on order_items.seller_id = sellers.seller_id
                where orders.is_valid
            ) as gmv
    ),

    actual as (
        select count(*) as sellers, coalesce(sum(gmv), 0) as gmv
        from {{ ref("mart_seller_management") }}
    )

select expected.*, actual.sellers as actual_sellers, actual.gmv as actual_gmv
from expected
cross join actual
where expected.sellers <> actual.sellers or expected.gmv <> actual.gmv
