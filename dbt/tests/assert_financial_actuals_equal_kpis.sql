-- Month by month the actuals of mart_financial_performance equal mart_executive_kpis and
-- int_sales_analysis, to the cent; months without an order are zeros there and no rows here.
with
    actuals as (select * from {{ ref("mart_financial_performance") }} where not is_forecast),

    kpis as (select * from {{ ref("mart_executive_kpis") }} where period_type = 'month'),

    sales as (
        select month, sum(gmv) as gmv, sum(freight_revenue) as freight_revenue
        from {{ ref("int_sales_analysis") }}
        group by month
    )

select coalesce(actuals.month, kpis.period_start) as month, actuals.gmv, kpis.gmv as kpi_gmv
from actuals
full outer join kpis on actuals.month = kpis.period_start
left join sales on coalesce(actuals.month, kpis.period_start) = sales.month
where
    actuals.month is null
    or actuals.gmv <> coalesce(kpis.gmv, 0)
    or actuals.gmv <> coalesce(sales.gmv, 0)
    or actuals.freight_revenue <> coalesce(kpis.freight_revenue, 0)
    or actuals.freight_revenue <> coalesce(sales.freight_revenue, 0)
    or actuals.orders <> coalesce(kpis.orders, 0)
    or actuals.orders_placed <> coalesce(kpis.orders_placed, 0)
    or actuals.platform_revenue <> coalesce(kpis.platform_revenue, 0)
