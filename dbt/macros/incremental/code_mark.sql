{#- What the comment of an incremental model's table says of the code that made it. The code is everything
    that can change a row: the text and the contract of the model and of whatever lies upstream of it, seeds
    with their rows, and, not told apart by model, all macros and dbt_project.yml with its vars
    (OLIST_DBT_SHARED_CODE). The mark is in the comment because a clone takes it along, and because it is
    written last: a run that is killed before leaves a table that the next one rebuilds. -#}
{%- macro code_mark(model) -%}
    {%- set code = [env_var("OLIST_DBT_SHARED_CODE")] -%}
    {%- set reached = [model.unique_id] -%}
    {#- It grows while it is walked. -#}
    {%- for unique_id in reached -%}
        {%- set node = graph.nodes[unique_id] -%}
        {%- set types = [] -%}
        {%- for column in node.columns.values() -%}
            {%- do types.append(column.name ~ " " ~ column.data_type) -%}
        {%- endfor -%}
        {%- do code.append(unique_id ~ node.checksum.checksum ~ types | join(",")) -%}
        {%- for upstream in node.depends_on.get("nodes", []) -%}
            {%- if upstream in graph.nodes and upstream not in reached -%}
                {%- do reached.append(upstream) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do return("Made by the code " ~ local_md5(code | sort | join("\n")) ~ ".") -%}
{%- endmacro -%}

{%- macro is_incremental_model(node) -%}
    {%- do return(node.resource_type == "model" and node.config.materialized == "incremental") -%}
{%- endmacro -%}

{#- The comment of a table; empty where it has none. -#}
{%- macro table_comment(relation) -%}
    {%- do return(adapter.dispatch("table_comment", "olist")(relation)) -%}
{%- endmacro -%}

{%- macro default__table_comment(relation) -%}
    {%- set found -%}
        select comment
        from duckdb_tables()
        where
            database_name = '{{ relation.database }}'
            and schema_name = '{{ relation.schema }}'
            and table_name = '{{ relation.identifier }}'
    {%- endset -%}
    {%- do return(run_query(found).columns[0].values() | first or "") -%}
{%- endmacro -%}

{#- SHOW needs no warehouse and answers at once. Its pattern takes `_` for any character. -#}
{%- macro snowflake__table_comment(relation) -%}
    {%- set tables = run_query(
        "show tables like '"
        ~ relation.identifier
        ~ "' in schema "
        ~ relation.database
        ~ "."
        ~ relation.schema
    ) -%}
    {%- for table in tables if table["name"] | lower == relation.identifier | lower -%}
        {%- do return(table["comment"] or "") -%}
    {%- endfor -%}
    {%- do return("") -%}
{%- endmacro -%}
