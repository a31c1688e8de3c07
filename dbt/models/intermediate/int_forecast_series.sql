-- Grain: one row per series_level, series, month: the sales that forecasts learn from, of the
-- platform, of each region and of the top categories. Only complete months take part; months at the
-- edges that an extract cut off do not.
with
    revenue as (select month, orders, gmv from {{ ref("int_monthly_revenue") }} where is_complete),

    sales as (select month, customer_region, category, gmv from {{ ref("int_sales_analysis") }}),

    typical as (select median(orders) as orders from revenue),

    edges as (
        select
            min(case when {{ is_business_month() }} then revenue.month end) as first_business_month,
            max(case when {{ is_business_month() }} then revenue.month end) as last_business_month,
            max(revenue.month) as last_month
        from revenue
        cross join typical
    ),

    months as (
        select
            revenue.month, revenue.gmv, row_number() over (order by revenue.month asc) as position
        from revenue
        cross join edges
        where
            revenue.month >= edges.first_business_month
            and (
                revenue.month <= edges.last_business_month
                or edges.last_business_month
                < {{
                    add_periods(
                        "month", -1 * var("forecast_maximum_edge_months"), "edges.last_month"
                    )
                }}
            )
    ),

    cells as (select sales.* from sales inner join months on sales.month = months.month),

    top_categories as (
        select category
        from cells
        group by category
        qualify
            row_number() over (order by sum(gmv) desc, category asc)
            <= {{ var("forecast_top_categories") }}
    ),

    part_cells as (
        select month, 'region' as series_level, customer_region as series, gmv
        from cells
        union all
        select
            cells.month,
            'category' as series_level,
            coalesce(top_categories.category, 'other categories') as series,
            cells.gmv
        from cells
        left join top_categories on cells.category = top_categories.category
    ),

    parts as (
        select month, series_level, series, sum(gmv) as gmv
        from part_cells
        group by month, series_level, series
    ),

    part_names as (select distinct series_level, series from parts),

    -- A part that sold nothing in a month has a zero, so that rows are months.
    series_months as (
        select 'platform' as series_level, 'all' as series, month, position, gmv
        from months
        union all
        select
            part_names.series_level,
            part_names.series,
            months.month,
            months.position,
            coalesce(parts.gmv, 0) as gmv
        from months
        cross join part_names
        left join
            parts
            on months.month = parts.month
            and part_names.series_level = parts.series_level
            and part_names.series = parts.series
    ),

    renamed as (
        select
            cast(series_level as varchar) as series_level,
            cast(series as varchar) as series,
            month,
            cast(position as integer) as position,
            cast(gmv as decimal(18, 2)) as gmv
        from series_months
    )

select *
from renamed
