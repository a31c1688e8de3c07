-- People can work on the alerts: they are at most fraud_alert_max_share of all orders.
select counted.orders, counted.alerts
from
    (
        select
            (select count(*) from {{ ref("int_orders") }}) as orders,
            (select count(*) from {{ ref("mart_fraud_monitoring") }}) as alerts
    ) as counted
where
    counted.orders >= {{ var("distribution_min_orders") }}
    and counted.alerts > counted.orders * {{ var("fraud_alert_max_share") }}
