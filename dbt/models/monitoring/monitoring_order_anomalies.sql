-- Grain: one row per purchase_month that has an order.
with
    anomalies as (select * from {{ ref("int_order_anomalies") }}),

    counted as (
        select
            {{ period_start("month", "purchase_date") }} as purchase_month,
            count(*) as orders,
            count(case when is_anomaly then 1 end) as anomalies,
            count(case when {{ is_severe_anomaly("severity") }} then 1 end) as severe_anomalies
        from anomalies
        group by {{ period_start("month", "purchase_date") }}
    ),

    judged as (
        select
            purchase_month,
            cast(orders as bigint) as orders,
            cast(anomalies as bigint) as anomalies,
            cast(severe_anomalies as bigint) as severe_anomalies,
            round({{ ratio("anomalies", "orders") }}, 6) as anomaly_share,
            round({{ ratio("severe_anomalies", "orders") }}, 6) as severe_anomaly_share,
            cast({{ var("anomaly_share_bounds")[1] }} as double) as max_anomaly_share,
            cast({{ var("severe_anomaly_share_bounds")[1] }} as double) as max_severe_anomaly_share,
            orders >= {{ var("distribution_min_orders") }} as is_judged
        from counted
    )

select *
from judged
