-- The GMV and freight of all cohorts, month by month of activity, equal those straight from
-- staging, to the cent; orders of unknown people are inside.
with
    staged as (
        select
            orders.purchase_month,
            sum(order_items.price) as gmv,
            sum(order_items.freight_value) as freight_revenue
        from {{ ref("stg_order_items") }} as order_items
        inner join {{ ref("stg_orders") }} as orders on order_items.order_id = orders.order_id
        where orders.is_valid and orders.purchase_date <= {{ as_of_date() }}
        group by orders.purchase_month
    ),

    cohorts as (
        select activity_month, sum(gmv) as gmv, sum(freight_revenue) as freight_revenue
        from {{ ref("mart_unit_economics") }}
        group by activity_month
    )

select
    coalesce(staged.purchase_month, cohorts.activity_month) as month,
    staged.gmv as expected_gmv,
    cohorts.gmv
from staged
full outer join cohorts on staged.purchase_month = cohorts.activity_month
where
    coalesce(staged.gmv, 0) <> coalesce(cohorts.gmv, 0)
    or coalesce(staged.freight_revenue, 0) <> coalesce(cohorts.freight_revenue, 0)
