{#- What `olist release` does on Snowflake, by dbt run-operation; platform/src/olist_platform/release/
    calls these with the release's own target schema, so `mart.schema` is the one it was built into.

    | schema | what it is |
    | --- | --- |
    | `<target schema>_<layer>` | the release, built beside what runs |
    | the var `serving_schema` | what readers have; its table `release` says of which release |
    | `served_<digest>` | what readers had last under a release | -#}
{#- Record that every model of the release was built, on which state of raw. -#}
{%- macro mark_release_built() -%}
    {%- set records = [] -%}
    {%- for mart in olist.public_marts() -%}
        {%- do records.append(olist.publication_record(mart, olist.built_mart(mart), none)) -%}
    {%- endfor -%}
    {%- do run_query(
        "create or replace table " ~ olist.built_table("publication") ~ " as " ~ records
        | join(" union all ")
    ) -%}
    {#- Written last: whoever finds it knows that everything is there. -#}
    {%- do run_query(
        "create or replace table "
        ~ olist.built_table("raw_state")
        ~ " as select cast('"
        ~ olist.raw_state()
        ~ "' as varchar) as loaded_at"
    ) -%}
{%- endmacro -%}

{#- Answer with one line of JSON: what is built, what readers have and of which release, and from when
    the marts of the schema `kept` are. -#}
{%- macro release_facts(kept) -%}
    {%- set serving = target.database ~ "." ~ var("serving_schema") -%}
    {%- set marked = olist.first_value(
        target.schema ~ "_marts", "raw_state", "select max(loaded_at)"
    ) -%}
    {%- set days = olist.mart_facts(kept) -%}
    {%- set kept_day = namespace(value=none) -%}
    {%- for mart in days.values() -%}
        {%- if mart["day"] and (kept_day.value is none or mart["day"] > kept_day.value) -%}
            {%- set kept_day.value = mart["day"] -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set kept_text = "of " ~ (kept_day.value or "no date") if days else "" -%}
    {%- set facts = {
        "is_built": marked is not none and marked == olist.raw_state(),
        "built": olist.mart_facts(target.schema ~ "_marts"),
        "served": olist.mart_facts(var("serving_schema")),
        "served_by": olist.first_value(
            var("serving_schema"), "release", "select max(digest)"
        ),
        "kept": kept_text,
    } -%}
    {%- do print("olist-release-facts:" ~ tojson(facts)) -%}
{%- endmacro -%}

{#- Hand readers the marts that were built, or those of the schema `kept`; what they have is kept
    in the schema `keep_as` first, if one is named. Each mart changes in one step, and from the first
    to the last the table `release` names none: who stops half-way leaves marts of two releases. -#}
{%- macro serve_release(digest, keep_as=none, kept=none, invocation=none) -%}
    {%- set serving = var("serving_schema") -%}
    {%- if keep_as -%}
        {%- do run_query("create schema if not exists " ~ target.database ~ "." ~ keep_as) -%}
        {%- for name in olist.tables_of(serving) -%}
            {%- do olist.clone_table(name, serving, keep_as) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set names = olist.tables_of(kept) if kept else [] -%}
    {%- if kept and not names -%}
        {%- do exceptions.raise_compiler_error(
            "the schema " ~ kept ~ " keeps no mart: readers would be left with none"
        ) -%}
    {%- endif -%}
    {%- do olist.name_served_release(serving, "") -%}
    {%- if kept -%}
        {%- for name in names -%} {%- do olist.clone_table(name, kept, serving) -%} {%- endfor -%}
        {%- for name in olist.tables_of(serving) if name not in names and name != "release" -%}
            {%- do run_query(
                "drop table if exists " ~ target.database ~ "." ~ serving ~ "." ~ name
            ) -%}
        {%- endfor -%}
    {%- else -%} {%- do olist.publish_marts(invocation, serving) -%}
    {%- endif -%}
    {%- do olist.name_served_release(serving, digest) -%}
{%- endmacro -%}

{%- macro name_served_release(serving, digest) -%}
    {%- do run_query(
        "create or replace table "
        ~ target.database
        ~ "."
        ~ serving
        ~ ".release as select '"
        ~ digest
        ~ "' as digest"
    ) -%}
{%- endmacro -%}

{#- Newest load of each raw table, as one text; it differs as soon as anything is loaded. -#}
{%- macro raw_state() -%}
    {%- set newest = [] -%}
    {%- for source in graph.sources.values() | sort(attribute="unique_id") -%}
        {%- if "_loaded_at" in source.columns -%}
            {%- set loaded = olist.first_value(
                source.schema,
                source.identifier,
                "select cast(max(_loaded_at) as varchar)",
            ) -%}
            {%- do newest.append(source.identifier ~ "=" ~ loaded) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return(local_md5(newest | join(";"))) -%}
{%- endmacro -%}

{#- Rows and day of each mart that a schema's table `publication` tells of. -#}
{%- macro mart_facts(schema) -%}
    {%- set facts = {} -%}
    {%- if "publication" in olist.tables_of(schema) -%}
        {%- set rows = run_query(
            "select relation_name, row_count, cast(as_of_date as varchar) from "
            ~ target.database
            ~ "."
            ~ schema
            ~ ".publication"
        ) -%}
        {%- for row in rows.rows -%}
            {%- do facts.update({row[0]: {"rows": row[1] | int, "day": row[2]}}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(facts) -%}
{%- endmacro -%}

{#- The one value that a query of a table gives; none where there is no such table. -#}
{%- macro first_value(schema, table, select) -%}
    {%- if table | lower not in olist.tables_of(schema) -%} {%- do return(none) -%} {%- endif -%}
    {%- set found = run_query(select ~ " from " ~ target.database ~ "." ~ schema ~ "." ~ table) -%}
    {%- do return(found.rows[0][0]) -%}
{%- endmacro -%}

{#- Names of a schema's tables, lower case; none where there is no such schema. -#}
{%- macro tables_of(schema) -%}
    {%- set found = run_query(
        "select lower(table_name) from "
        ~ target.database
        ~ ".information_schema.tables where lower(table_schema) = '"
        ~ schema
        | lower ~ "' order by 1"
    ) -%}
    {%- do return(found.columns[0].values() | list) -%}
{%- endmacro -%}

{%- macro clone_table(name, from_schema, to_schema) -%}
    {%- set database = target.database ~ "." -%}
    {%- do run_query(
        olist.clone_statement(
            database ~ to_schema ~ "." ~ name, database ~ from_schema ~ "." ~ name
        )
    ) -%}
{%- endmacro -%}

{%- macro built_mart(mart) -%}
    {%- do return(mart.database ~ "." ~ mart.schema ~ "." ~ mart.alias) -%}
{%- endmacro -%}

{%- macro built_table(name) -%}
    {%- do return(target.database ~ "." ~ target.schema ~ "_marts." ~ name) -%}
{%- endmacro -%}
