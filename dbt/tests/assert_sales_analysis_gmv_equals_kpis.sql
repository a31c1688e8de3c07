-- int_sales_analysis summed by month equals the monthly GMV of mart_executive_kpis, to the cent.
with
    sales as (
        select month, sum(gmv) as gmv, sum(freight_revenue) as freight_revenue, sum(items) as items
        from {{ ref("int_sales_analysis") }}
        group by month
    ),

    kpis as (select * from {{ ref("mart_executive_kpis") }} where period_type = 'month')

select coalesce(sales.month, kpis.period_start) as month, sales.gmv, kpis.gmv as kpi_gmv
from sales
full outer join kpis on sales.month = kpis.period_start
where
    coalesce(sales.gmv, 0) <> coalesce(kpis.gmv, 0)
    or coalesce(sales.freight_revenue, 0) <> coalesce(kpis.freight_revenue, 0)
    or coalesce(sales.items, 0) <> coalesce(kpis.items, 0)
