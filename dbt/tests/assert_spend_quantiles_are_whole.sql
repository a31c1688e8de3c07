-- Every level of every sum of orders has its quantile, or an interval would fall back to the
-- expectation unseen. Their mean is the expectation, but for the rounding up of each and the tail
-- that is cut off.
select
    valued_orders, orders_ahead, count(*) as levels, avg(multiple_of_expectation) as mean_multiple
from {{ ref("int_spend_quantiles") }}
group by valued_orders, orders_ahead
having count(*) <> 999 or avg(multiple_of_expectation) not between 0.9 and 1.05
