{#- Make a table that no model makes where it is missing, and columns that it lacks (types by name). Nothing is asked of the database when
    all is there already. -#}
{%- macro ensure_source_table(table, columns) -%}
    {%- if execute -%}
        {%- set existing = load_relation(table) -%}
        {%- if existing is none -%}
            {%- do adapter.create_schema(table) -%}
            {#- dbt's cache learns of it, so that on-run-end finds it. Without `dbt_created` Snowflake's
                upper case would make it another table of nearly the same name, an error. -#}
            {%- do adapter.cache_added(table.incorporate(type="table", dbt_created=true)) -%}
            create table if not exists {{ table }} (
            {%- for name, type in columns.items() %}
                {{ name }} {{ type }}{{ "," if not loop.last }}
            {%- endfor %}
            )
        {%- elif existing.is_table -%}
            {%- set present = run_query("select * from " ~ table ~ " where false").column_names -%}
            {%- set present = present | map("lower") | list -%}
            {%- for name, type in columns.items() if name not in present %}
                alter table {{ table }}
                add column {{ name }} {{ type }};
            {%- endfor -%}
        {%- else -%}
            {%- do exceptions.warn(
                table
                ~ " is a "
                ~ existing.type
                ~ ", no table: nothing can be written to it"
            ) -%}
        {%- endif -%}
        {%- do olist.end_transaction() -%}
    {%- endif -%}
{%- endmacro -%}

{#- The tables that runs and fits write to. In one hook: two that make their schema in a new warehouse
    would be two transactions in conflict. -#}
{%- macro ensure_source_tables() -%}
    {%- set statements = [] -%}
    {%- for statement in [
        olist.ensure_run_costs_table(),
        olist.ensure_fitted_parameters_table(),
    ] if statement | trim -%}
        {%- do statements.append((statement | trim).rstrip(";")) -%}
    {%- endfor -%}
    {{ statements | join(";\n") }}
{%- endmacro -%}
