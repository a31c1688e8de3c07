{#- What capturing run costs needs and each engine does its own way. -#}
{#- A value as a quoted text; null for nothing and for an empty text. Quotes are doubled, which both
    engines read; on Snowflake a backslash too would begin an escape. -#}
{%- macro text_literal(value) -%}
    {{ return(adapter.dispatch("text_literal", "olist")(value)) }}
{%- endmacro -%}

{%- macro default__text_literal(value) -%}
    {%- if value is none or value | string == "" -%} {{ return("null") }} {%- endif -%}
    {{ return("'" ~ (value | string).replace("\x00", "").replace("'", "''") ~ "'") }}
{%- endmacro -%}

{%- macro snowflake__text_literal(value) -%}
    {{
        return(
            olist.default__text_literal(
                none if value is none else (value | string).replace("\\", "\\\\")
            )
        )
    }}
{%- endmacro -%}

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
        {%- set name = result.node.schema ~ "." ~ result.node.alias -%}
        {%- if name in tables -%}
            {%- do sizes.append(
                "select '"
                ~ result.node.unique_id
                ~ "' as node_id, "
                ~ tables[name]
                ~ " as relation_rows, nullif(count(distinct case when block_id >= 0 "
                ~ "then block_id end), 0) * 262144 as bytes from pragma_storage_info('"
                ~ name
                ~ "')"
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{
        return(
            sizes | join(" union all ") if sizes else olist.snowflake__relation_sizes(results)
        )
    }}
{%- endmacro -%}

{#- A table's rows and bytes are in Snowflake's information schema at any later time too. -#}
{%- macro snowflake__relation_sizes(results) -%}
    {{ return("select null as node_id, null as relation_rows, null as bytes where false") }}
{%- endmacro -%}
