{#- The reference date: the var `as_of_date`, or the local date of the latest purchase. -#}
{%- macro as_of_date() -%}
    {%- if var("as_of_date") is none -%} (select max(purchase_date) from {{ ref("stg_orders") }})
    {%- else -%}
        {%- set parsed = modules.re.match("^\d{4}-\d{2}-\d{2}$", var("as_of_date") | string) -%}
        {%- if not parsed -%}
            {{
                exceptions.raise_compiler_error(
                    "var as_of_date must be YYYY-MM-DD, not '" ~ var("as_of_date") ~ "'"
                )
            }}
        {%- endif -%}
        cast('{{ var("as_of_date") }}' as date)
    {%- endif -%}
{%- endmacro -%}
