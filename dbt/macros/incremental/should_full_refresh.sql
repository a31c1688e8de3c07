{#- dbt's own question whether a table is made anew, with two more reasons: other code than today's made it,
    or a column of the contract that it does not have. dbt would leave every row that no increment touches
    as it is: null in a new column, of the former type, of the former grain, of the former threshold. Raw
    keeps everything, so the table can always be made anew. -#}
{%- macro should_full_refresh() -%}
    {%- set configured = config.get("full_refresh") -%}
    {%- if configured is not none -%} {{ return(configured) }} {%- endif -%}
    {%- if flags.FULL_REFRESH or not execute -%} {{ return(flags.FULL_REFRESH) }} {%- endif -%}
    {%- if not olist.is_incremental_model(model) -%} {{ return(false) }} {%- endif -%}
    {%- set relation = adapter.get_relation(this.database, this.schema, this.table) -%}
    {%- if relation is none -%} {{ return(false) }} {%- endif -%}
    {%- if olist.code_mark(model) not in olist.table_comment(relation) -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set present = (
        adapter.get_columns_in_relation(relation)
        | map(attribute="name")
        | map("lower")
        | list
    ) -%}
    {{ return(model.columns | map("lower") | reject("in", present) | list | length > 0) }}
{%- endmacro -%}
