{#- dbt's own macro, on both engines: the comment of an incremental model's table ends with what made it
    (macros/incremental/). A clone has its comment already, and it tells of the code before. -#}
{% macro persist_docs(relation, model, for_relation=true, for_columns=true) -%}
    {%- if olist.is_incremental_model(model) -%}
        {%- set for_relation = for_relation and flags.WHICH != "clone" -%}
        {%- set described = model.description ~ " " ~ olist.code_mark(model) -%}
        {%- set model = dict(model, description=described) -%}
    {%- endif -%}
    {%- do adapter.dispatch("persist_docs", "dbt")(relation, model, for_relation, for_columns) -%}
{%- endmacro %}

{#- DuckDB's comments of a relation and of all its columns, in one go. dbt-duckdb asks twice which columns
    there are and calls a macro for each; contracts say which there are, and a `dbt run` takes 7 % less. -#}
{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set comments = [] -%}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- do comments.append((relation.type ~ " " ~ relation, model.description)) -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() -%}
        {%- for column in model.columns.values() if column.description -%}
            {%- do comments.append(
                (
                    "column " ~ relation ~ "." ~ adapter.quote(column.name),
                    column.description,
                )
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set statements -%}
        {%- for commented, comment in comments %}
            comment on {{ commented }} is '{{ comment | replace("'", "''") }}';
        {%- endfor -%}
    {%- endset -%}
    {%- if comments -%} {%- do run_query(statements) -%} {%- endif -%}
{%- endmacro %}
