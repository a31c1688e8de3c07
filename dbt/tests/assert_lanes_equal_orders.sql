-- The lanes of mart_logistics_performance add up to the valid and to the delivered orders' money,
-- to the cent and month by month; they hold each order at least once, and a delivery is on time or
-- late.
with
    expected as (
        select
            purchase_month,
            sum(gmv) as gmv,
            sum(freight_revenue) as freight_revenue,
            sum(case when is_delivered then freight_value else 0 end) as delivered_freight,
            count(case when items > 0 then 1 end) as orders
        from {{ ref("int_orders") }}
        where is_valid
        group by purchase_month
    ),

    lanes as (
        select
            month,
            sum(gmv) as gmv,
            sum(freight_revenue) as freight_revenue,
            sum(delivered_freight) as delivered_freight,
            sum(orders) as orders,
            sum(delivered_orders - on_time_orders - late_orders) as deliveries_in_neither
        from {{ ref("mart_logistics_performance") }}
        group by month
    )

select coalesce(expected.purchase_month, lanes.month) as month, expected.gmv, lanes.gmv as lane_gmv
from expected
full outer join lanes on expected.purchase_month = lanes.month
where
    coalesce(expected.gmv, 0) <> coalesce(lanes.gmv, 0)
    or coalesce(expected.freight_revenue, 0) <> coalesce(lanes.freight_revenue, 0)
    or coalesce(expected.delivered_freight, 0) <> coalesce(lanes.delivered_freight, 0)
    or coalesce(expected.orders, 0) > coalesce(lanes.orders, 0)
    or coalesce(lanes.deliveries_in_neither, 0) <> 0
