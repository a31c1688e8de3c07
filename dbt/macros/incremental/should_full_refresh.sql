{#- dbt's own question whether a table is made anew, with one more reason: a column of the contract that
    the table does not have yet. dbt would add it and leave it null in every row that no increment touches.
    Raw keeps everything, so the table can always be made anew. What such a column cannot tell, a value that
    is computed in another way, still needs `--full-refresh`. -#}
{%- macro should_full_refresh() -%}
    {%- set configured = config.get("full_refresh") -%}
    {%- if configured is not none -%} {{ return(configured) }} {%- endif -%}
    {%- if flags.FULL_REFRESH or not execute -%} {{ return(flags.FULL_REFRESH) }} {%- endif -%}
    {%- if model.resource_type != "model" or model.config.materialized != "incremental" -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set relation = adapter.get_relation(this.database, this.schema, this.table) -%}
    {%- if relation is none -%} {{ return(false) }} {%- endif -%}
    {%- set present = (
        adapter.get_columns_in_relation(relation)
        | map(attribute="name")
        | map("lower")
        | list
    ) -%}
    {{ return(model.columns | map("lower") | reject("in", present) | list | length > 0) }}
{%- endmacro -%}
