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


{#- Average of a decimal expression. Sums of decimals are exact in whatever order threads add them up; sums of
    doubles are not, and a figure that is rounded behind one differs from run to run. -#}
{%- macro exact_average(value) -%}
    {{ ratio("sum(" ~ value ~ ")", "count(" ~ value ~ ")") }}
{%- endmacro -%}


{#- Slope of the least squares line of a decimal `y` over an integer `x`, where both are there; exact as
    `exact_average` is. Null where fewer than two different `x` are. -#}
{%- macro exact_slope(y, x) -%}
    {%- set x = "case when " ~ y ~ " is not null then " ~ x ~ " end" -%}
    {%- set points = "count(" ~ y ~ ")" -%}
    {%- set sum_x = "cast(sum(" ~ x ~ ") as double)" -%}
    {%- set sum_y = "cast(sum(" ~ y ~ ") as double)" -%}
    {%- set sum_xy = "cast(sum((" ~ x ~ ") * (" ~ y ~ ")) as double)" -%}
    {%- set sum_xx = "cast(sum((" ~ x ~ ") * (" ~ x ~ ")) as double)" -%}
    {{
        ratio(
            points ~ " * " ~ sum_xy ~ " - " ~ sum_x ~ " * " ~ sum_y,
            points ~ " * " ~ sum_xx ~ " - " ~ sum_x ~ " * " ~ sum_x,
        )
    }}
{%- endmacro -%}


{#- A ratio as a decimal, for exact sums of it. -#}
{%- macro decimal_ratio(numerator, denominator) -%}
    cast(round({{ ratio(numerator, denominator) }}, 9) as decimal(18, 9))
{%- endmacro -%}
