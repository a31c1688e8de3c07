{#- Answer with every schema of the database: dbt run-operation print_schemas. -#}
{%- macro print_schemas() -%}
    {%- set schemas = list_schemas(target.database) -%}
    {#- On Snowflake the first column of SHOW SCHEMAS is when each was made. -#}
    {%- set column = "name" if "name" in schemas.column_names else schemas.column_names[0] -%}
    {%- set names = schemas.columns[column].values() | list -%}
    {%- do print("olist-schemas:" ~ tojson(names)) -%}
{%- endmacro -%}

{#- Drop schemas with everything in them: dbt run-operation drop_schemas --args '{schemas: [..]}'.
    Only schemas of pull requests and of releases have names that may be given here. -#}
{%- macro drop_schemas(schemas) -%}
    {%- for schema in schemas -%}
        {%- if not modules.re.match("^(pr|release|served)_[0-9a-f]+(_|$)", schema) -%}
            {%- do exceptions.raise_compiler_error(schema ~ " is a schema of what runs") -%}
        {%- endif -%}
        {%- do adapter.drop_schema(api.Relation.create(database=target.database, schema=schema)) -%}
    {%- endfor -%}
{%- endmacro -%}
