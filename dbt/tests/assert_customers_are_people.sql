-- Over all days, new customers are the distinct people with a valid order, each once.
select kpis.new_customers, people.customers
from
    (
        select period_type, sum(new_customers) as new_customers
        from {{ ref("mart_executive_kpis") }}
        group by period_type
    ) as kpis
cross join
    (
        select count(distinct customer_unique_id) as customers
        from {{ ref("int_orders") }}
        where is_valid
    ) as people
where kpis.new_customers <> people.customers
