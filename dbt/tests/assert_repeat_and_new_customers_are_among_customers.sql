-- A person of a period is new, repeat or both (first and second order within it): never neither.
select period_type, period_start, customers, new_customers, repeat_customers
from {{ ref("mart_executive_kpis") }}
where
    new_customers > customers
    or repeat_customers > customers
    or new_customers + repeat_customers < customers
