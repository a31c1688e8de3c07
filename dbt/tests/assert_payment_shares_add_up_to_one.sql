-- The types of a month share all of its payment value.
select month, sum(share_of_value) as share_of_value
from {{ ref("mart_payment_method_performance") }}
group by month
having abs(sum(share_of_value) - 1) > 0.000000001
