{#- What capturing run costs needs and each engine does its own way. -#}
{#- A backslash inside a quoted text: Snowflake reads one as the beginning of an escape. -#}
{%- macro escaped_backslash() -%}
    {{ return(adapter.dispatch("escaped_backslash", "olist")()) }}
{%- endmacro -%}

{%- macro default__escaped_backslash() -%} {{ return("\\") }} {%- endmacro -%}

{%- macro snowflake__escaped_backslash() -%} {{ return("\\\\") }} {%- endmacro -%}

{#- A query of the rows and bytes that the built tables of these results have now, by node_id. -#}
{%- macro relation_sizes(results) -%}
    {{ return(adapter.dispatch("relation_sizes", "olist")(results)) }}
{%- endmacro -%}

{#- Bytes are of the blocks already in the file: a small new table has none before DuckDB's next
    checkpoint, and a checkpoint of our own could be refused. -#}
{%- macro default__relation_sizes(results) -%}
    {%- set tables = {} -%}
    {%- for row in run_query(
        "select schema_name, table_name, estimated_size from duckdb_tables() "
        ~ "where database_name = current_database()"
    ) -%}
        {%- do tables.update({row[0] ~ "." ~ row[1]: row[2]}) -%}
    {%- endfor -%}
    {%- set sizes = [] -%}
    {%- for result in results if result.node.is_relational and result.status == "success" -%}
        {%- set relation = api.Relation.create(
            schema=result.node.schema, identifier=result.node.alias
        ) -%}
        {%- set name = relation.schema ~ "." ~ relation.identifier -%}
        {%- if name in tables -%}
            {%- do sizes.append(
                "select '"
                ~ result.node.unique_id.replace("'", "''")
                ~ "' as node_id, "
                ~ tables[name]
                ~ " as relation_rows, nullif(count(distinct case when block_id >= 0 "
                ~ "then block_id end), 0) * 262144 as bytes from pragma_storage_info('"
                ~ (relation | string).replace("'", "''")
                ~ "')"
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(sizes | join(" union all ") if sizes else olist.no_relation_sizes()) }}
{%- endmacro -%}

{#- Nothing is measured on Snowflake: a look into its information schema costs seconds of warehouse. -#}
{%- macro snowflake__relation_sizes(results) -%}
    {{ return(olist.no_relation_sizes()) }}
{%- endmacro -%}

{%- macro no_relation_sizes() -%}
    {{ return("select '' as node_id, 0 as relation_rows, 0 as bytes") }}
{%- endmacro -%}
