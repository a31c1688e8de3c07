-- The margin that orders left so far is the share of gross order value that the var
-- contribution_margin_rate promises of orders to come; else one of the vars under "money" is stale.
{{ config(severity="warn") }}

select sum(contribution_margin) as contribution_margin, sum(gross_order_value) as gross_order_value
from {{ ref("int_customer_360") }}
having
    abs(
        {{ ratio("sum(contribution_margin)", "sum(gross_order_value)") }}
        - {{ var("contribution_margin_rate") }}
    )
    > {{ var("contribution_margin_rate_tolerance") }}
