{#- What valid orders leave the platform, BRL to six places (exact; round sums, never parts):
    commission_rate * price + freight_revenue_share * freight - payment_fee_rate * payment_value.
    The rates are vars; the three arguments are amounts in BRL of the same orders. -#}
{%- macro contribution_margin(price, freight, payment_value) -%}
    cast(
        coalesce({{ price }}, 0) * cast({{ var("commission_rate") }} as decimal(7, 6))
        + coalesce({{ freight }}, 0) * cast({{ var("freight_revenue_share") }} as decimal(7, 6))
        - coalesce({{ payment_value }}, 0)
        * cast({{ var("payment_fee_rate") }} as decimal(7, 6)) as decimal(18, 6)
    )
{%- endmacro -%}
