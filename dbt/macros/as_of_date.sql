{#- The reference date: the given one, or the local date of the latest purchase. -#}
{%- macro as_of_date() -%}
    {%- set given = olist.given_as_of_date() -%}
    {%- if given -%} {{ given }}
    {%- else -%} (select max(purchase_date) from {{ ref("stg_orders") }})
    {%- endif -%}
{%- endmacro -%}

{#- Condition: an order of staging with this purchase date was placed by the as_of_date. Where none is
    given they all were, and nothing is compared: DuckDB would take a comparison with a query's result to
    leave a four-hundredth of the orders, and hash the larger side of every join behind it. -#}
{%- macro is_placed_by_as_of_date(purchase_date) -%}
    {%- set given = olist.given_as_of_date() -%}
    {%- if given -%} {{ purchase_date }} <= {{ given }}
    {%- else -%} true
    {%- endif -%}
{%- endmacro -%}

{#- The date that this run is given, as SQL, or an empty text: the var `as_of_date`, else the run's
    (OLIST_AS_OF_DATE, which no parsed project is thrown away for). -#}
{%- macro given_as_of_date() -%}
    {%- set given = var("as_of_date") -%}
    {%- set given = env_var("OLIST_AS_OF_DATE", "") if given is none else given -%}
    {%- if not given -%} {{ return("") }} {%- endif -%}
    {%- if not modules.re.match("^\d{4}-\d{2}-\d{2}$", given | string) -%}
        {{
            exceptions.raise_compiler_error(
                "var as_of_date must be YYYY-MM-DD, not '" ~ given ~ "'"
            )
        }}
    {%- endif -%}
    {{ return("cast('" ~ given ~ "' as date)") }}
{%- endmacro -%}
