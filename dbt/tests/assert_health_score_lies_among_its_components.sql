-- A weighted mean of the known components lies between the least and the greatest of them; without
-- a sale there is neither score nor component, and with one there is a score.
select seller_id, health_score, orders
from {{ ref("int_seller_health_score") }}
where
    (health_score is null) <> (orders = 0)
    or (volume_score is null) <> (orders = 0)
    or (delivery_score is null) <> (orders = 0 or delivered_orders = 0)
    or (satisfaction_score is null) <> (reviewed_orders = 0)
    or (health_tier = 'No Sales') <> (orders = 0)
    or health_score
    > 0.01
    + greatest(
        coalesce(delivery_score, 0),
        coalesce(satisfaction_score, 0),
        coalesce(volume_score, 0),
        coalesce(quality_score, 0)
    )
    or health_score
    < -0.01
    + least(
        coalesce(delivery_score, 100),
        coalesce(satisfaction_score, 100),
        coalesce(volume_score, 100),
        coalesce(quality_score, 100)
    )
