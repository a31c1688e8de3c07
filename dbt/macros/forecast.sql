{#- Condition: a month has enough orders to be a month of business (relation `revenue`; `typical` is the median month). -#}
{%- macro is_business_month() -%}
    revenue.orders >= {{ var("forecast_edge_order_share") }} * typical.orders
{%- endmacro -%}


{#- Months of trend that count within so many months: each month the share `forecast_trend_damping` of the
    month before it (Gardner and McKenzie, 1985), so that growth is not carried on for ever. -#}
{%- macro damped_months(months) -%}
    {%- set damping = var("forecast_trend_damping") -%}
    {%- if damping == 1 -%}({{ months }})
    {%- else -%}({{ damping }} * (1 - power({{ damping }}, {{ months }})) / (1 - {{ damping }}))
    {%- endif -%}
{%- endmacro -%}
