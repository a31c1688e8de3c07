-- The months of mart_financial_performance follow each other without a gap, actual and forecast.
select is_forecast, months, first_month, last_month
from
    (
        select is_forecast, count(*) as months, min(month) as first_month, max(month) as last_month
        from {{ ref("mart_financial_performance") }}
        group by is_forecast
    ) as counted
where months <> {{ dbt.datediff("first_month", "last_month", "month") }} + 1
