{#- The reference date: the var `as_of_date`, else the run's (OLIST_AS_OF_DATE, which no parsed project
    is thrown away for), or the local date of the latest purchase. -#}
{%- macro as_of_date() -%}
    {%- set given = var("as_of_date") -%}
    {%- set given = env_var("OLIST_AS_OF_DATE", "") if given is none else given -%}
    {%- if not given -%} (select max(purchase_date) from {{ ref("stg_orders") }})
    {%- else -%}
        {%- set parsed = modules.re.match("^\d{4}-\d{2}-\d{2}$", given | string) -%}
        {%- if not parsed -%}
            {{
                exceptions.raise_compiler_error(
                    "var as_of_date must be YYYY-MM-DD, not '" ~ given ~ "'"
                )
            }}
        {%- endif -%}
        cast('{{ given }}' as date)
    {%- endif -%}
{%- endmacro -%}
