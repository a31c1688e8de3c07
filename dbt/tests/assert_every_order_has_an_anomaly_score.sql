-- Every order up to the as_of_date is scored, delivered or not, and no other one is.
select orders.order_id as order_id, anomalies.order_id as scored_order_id
from {{ ref("int_orders") }} as orders
full outer join
    {{ ref("int_order_anomalies") }} as anomalies on orders.order_id = anomalies.order_id
where orders.order_id is null or anomalies.order_id is null or anomalies.anomaly_score is null
