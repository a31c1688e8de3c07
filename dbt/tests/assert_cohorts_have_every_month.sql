-- A cohort has one row for each month from its own to the as_of_date's, and starts whole: in month
-- 0 everybody is active.
select cohort_month, count(*) as months, max(months_since_first) as last_month
from {{ ref("mart_unit_economics") }}
group by cohort_month
having
    count(*) <> max(months_since_first) + 1
    or max(activity_month) <> {{ period_start("month", as_of_date()) }}
    or max(case when months_since_first = 0 then active_customers end) <> max(cohort_size)
