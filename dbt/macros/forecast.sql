{#- Condition: a month has enough orders to be a month of business (`typical` is the median month). -#}
{%- macro is_business_month() -%}
    complete_months.orders >= {{ var("forecast_edge_order_share") }} * typical.orders
{%- endmacro -%}
