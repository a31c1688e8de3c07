{#- A model lands in its layer's schema. A target schema other than `olist` (a pull request's, a
    developer's) prefixes it, so that nobody writes into somebody else's layer.
    A hook, an analysis and a query of `dbt show --inline` land nowhere. -#}
{%- macro generate_schema_name(custom_schema_name, node) -%}
    {%- set lands_nowhere = node.resource_type in ["analysis", "operation", "sql_operation"] -%}
    {%- if custom_schema_name is none and lands_nowhere -%} {{ target.schema }}
    {%- elif custom_schema_name is none -%}
        {{
            exceptions.raise_compiler_error(
                node.name ~ " has no schema: put it in a layer's folder of dbt_project.yml"
            )
        }}
    {%- elif target.schema | lower == "olist" -%} {{ custom_schema_name | trim }}
    {%- else -%} {{ target.schema }}_{{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro -%}
