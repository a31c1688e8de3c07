{#- Publish the marts that stand in the warehouse: dbt run-operation publish_marts. Testing them first
    is the caller's part (olist publish, or the production DAG). Each table is replaced in one step,
    and the table `publication` is written last: whoever reads it knows that all of them are there. -#}
{%- macro publish_marts(dbt_invocation_id=none, serving_schema=none) -%}
    {%- do adapter.dispatch("publish_marts", "olist")(
        dbt_invocation_id, serving_schema or olist.serving_schema()
    ) -%}
{%- endmacro -%}

{%- macro default__publish_marts(dbt_invocation_id, serving_schema) -%}
    {%- do exceptions.raise_compiler_error(
        "readers of " ~ target.type ~ " have a file of their own: use `olist publish`"
    ) -%}
{%- endmacro -%}

{%- macro snowflake__publish_marts(dbt_invocation_id, serving_schema) -%}
    {%- set schema = api.Relation.create(
        database=target.database, schema=serving_schema
    ).without_identifier() -%}
    {%- set existing = (
        list_schemas(schema.database) | map(attribute="name") | map("lower") | list
    ) -%}
    {%- if schema.schema | lower not in existing -%}
        {%- do adapter.create_schema(schema) -%}
    {%- endif -%}
    {%- for statement in olist.publication_statements(dbt_invocation_id, serving_schema) -%}
        {%- do run_query(statement) -%}
    {%- endfor -%}
    {%- set published = olist.public_marts() | map(attribute="alias") | map("lower") | list -%}
    {#- A mart that the project no longer has must not be read as if it were fresh. -#}
    {%- for served in list_relations_without_caching(schema) -%}
        {%- if served["name"] | lower not in published + ["publication", "release"] -%}
            {%- do run_query(
                "drop table if exists "
                ~ schema.database
                ~ "."
                ~ schema.schema
                ~ "."
                ~ served["name"]
            ) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro -%}

{#- A statement that puts a clone of a table, with its policies and comments, in the place of another.
    No `copy grants`: a clone with it takes the grants of what it is of, or of what it replaces, and none
    of its schema's future grants, by which alone readers read. -#}
{%- macro clone_statement(table, source, transient=false) -%}
    {%- set kind = "transient table" if transient else "table" -%}
    {%- do return("create or replace " ~ kind ~ " " ~ table ~ " clone " ~ source) -%}
{%- endmacro -%}

{#- A list of statements: a clone for each mart, transient where the mart is, because a clone has to be.
    Then the record. -#}
{%- macro publication_statements(dbt_invocation_id, serving_schema) -%}
    {%- set serving = target.database ~ "." ~ serving_schema -%}
    {%- set statements = [] -%}
    {%- set records = [] -%}
    {%- for mart in olist.public_marts() -%}
        {%- set published = serving ~ "." ~ mart.alias -%}
        {%- do statements.append(
            olist.clone_statement(
                published, olist.built_mart(mart), mart.config.get("transient", true)
            )
        ) -%}
        {%- do records.append(olist.publication_record(mart, published, dbt_invocation_id)) -%}
    {%- endfor -%}
    {%- do statements.append(
        "create or replace table " ~ serving ~ ".publication as " ~ records
        | join(" union all ")
    ) -%}
    {%- do return(statements) -%}
{%- endmacro -%}

{#- The row of the table `publication` that tells of a mart in a relation. -#}
{%- macro publication_record(mart, relation, dbt_invocation_id) -%}
    select
        '{{ mart.alias }}' as relation_name,
        count(*) as row_count,
        {{ "max(as_of_date)" if "as_of_date" in mart.columns else "cast(null as date)" }}
        as as_of_date,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as published_at,
        {{ "'" ~ dbt_invocation_id ~ "'" if dbt_invocation_id else "cast(null as varchar)" }}
        as dbt_invocation_id,
        cast(hash_agg(*) as varchar) as content_checksum
    from {{ relation }}
{%- endmacro -%}

{#- The models that consumers may read: public ones of the marts' folder. -#}
{%- macro public_marts() -%}
    {%- set marts = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == "model" -%}
        {%- if node.fqn[1] == "marts" and node.access == "public" -%}
            {%- do marts.append(node) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return(marts | sort(attribute="alias")) -%}
{%- endmacro -%}

{%- macro serving_schema() -%}
    {%- do return(generate_schema_name(var("serving_schema"), {}) | trim) -%}
{%- endmacro -%}
