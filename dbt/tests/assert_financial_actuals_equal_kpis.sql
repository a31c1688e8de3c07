-- Month by month the actuals of mart_financial_performance equal mart_executive_kpis and
-- int_sales_analysis, to the cent, and so does what both make of them; months without an order are
-- zeros there and no rows here.
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
    or (
        kpis.period_start is not null
        and (
            actuals.is_complete <> kpis.is_complete
            or actuals.aov is distinct from kpis.aov
            or actuals.freight_share is distinct from kpis.freight_share
            or actuals.gmv_mom_growth is distinct from kpis.gmv_growth
            or actuals.orders_mom_growth is distinct from kpis.orders_growth
            or actuals.gmv_yoy_growth is distinct from kpis.gmv_yoy_growth
            {% if var("kpi_average_periods") == 3 %}
                or actuals.gmv_moving_average_3 is distinct from kpis.gmv_moving_average
            {% endif %}
        )
    )
