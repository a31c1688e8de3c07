-- The shares of a month's cells in its GMV add up to one, like those of each category and state.
{% set tolerance = 0.000001 %}

with
    months as (
        select
            month,
            sum(gmv_share_of_month) as share,
            sum(gmv_share_of_category) - count(distinct category) as category_share,
            sum(gmv_share_of_customer_state)
            - count(distinct customer_state) as customer_state_share
        from {{ ref("int_sales_analysis") }}
        where gmv_share_of_category is not null and gmv_share_of_customer_state is not null
        group by month
    )

select *
from months
where
    abs(share - 1) > {{ tolerance }}
    or abs(category_share) > {{ tolerance }}
    or abs(customer_state_share) > {{ tolerance }}
