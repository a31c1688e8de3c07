-- GMV and freight of mart_executive_kpis, by day, week and month, equal those straight from
-- staging, to the cent and period by period.
with
    staged as (
        select
            orders.purchase_date,
            sum(order_items.price) as gmv,
            sum(order_items.freight_value) as freight_revenue
        from {{ ref("stg_order_items") }} as order_items
        inner join {{ ref("stg_orders") }} as orders on order_items.order_id = orders.order_id
        where orders.is_valid and orders.purchase_date <= {{ as_of_date() }}
        group by orders.purchase_date
    ),

    expected as (
        {% for period_type in ["day", "week", "month"] %}
            select
                '{{ period_type }}' as period_type,
                {{ period_start(period_type, "purchase_date") }} as period_start,
                sum(gmv) as gmv,
                sum(freight_revenue) as freight_revenue
            from staged
            group by
                {{ period_start(period_type, "purchase_date") }} {{ "union all" if not loop.last }}
        {% endfor %}
    )

select
    coalesce(expected.period_type, kpis.period_type) as period_type,
    coalesce(expected.period_start, kpis.period_start) as period_start,
    expected.gmv as expected_gmv,
    kpis.gmv
from expected
full outer join
    {{ ref("mart_executive_kpis") }} as kpis
    on expected.period_type = kpis.period_type
    and expected.period_start = kpis.period_start
where
    coalesce(expected.gmv, 0) <> coalesce(kpis.gmv, 0)
    or coalesce(expected.freight_revenue, 0) <> coalesce(kpis.freight_revenue, 0)
