{#- What the platform keeps of item prices and freight, BRL in whole cents: commission_rate and
    freight_revenue_share of them. Round sums, never parts. -#}
{%- macro platform_revenue(gmv, freight_revenue) -%}
    cast(
        {{ gmv }} * cast({{ var("commission_rate") }} as decimal(7, 6))
        + {{ freight_revenue }}
        * cast({{ var("freight_revenue_share") }} as decimal(7, 6)) as decimal(18, 2)
    )
{%- endmacro -%}
