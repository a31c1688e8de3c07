{#- What every query says of itself, as JSON, so that its costs can be attributed to a node and a run. -#}
{#- The comment behind every statement. Snowflake strips comments before it; `"app": "dbt"` is what
    tools that read its query history look for. -#}
{%- macro query_comment(node) -%}
    {%- set metadata = {
        "app": "dbt",
        "dbt_version": dbt_version,
        "project_name": project_name,
        "target_name": target.name,
        "invocation_id": invocation_id,
    } -%}
    {%- if node is not none -%}
        {%- do metadata.update(
            node_id=node.unique_id,
            node_resource_type=node.resource_type,
            materialized=node.config.materialized,
            layer=node.fqn[1],
        ) -%}
    {%- endif -%}
    {{ return(tojson(metadata)) }}
{%- endmacro -%}

{#- dbt-snowflake asks this before it builds a node and gives the answer to `unset_query_tag` after. The
    layer's `query_tag` (dbt_project.yml) gets the node and the run: QUERY_ATTRIBUTION_HISTORY knows a
    query by its tag only, not by its text. -#}
{%- macro snowflake__set_query_tag() -%}
    {%- if config.get("query_tag") -%}
        {%- set tag = fromjson(config.get("query_tag")) -%}
        {%- do tag.update(
            target_name=target.name, invocation_id=invocation_id, node_id=model.unique_id
        ) -%}
        {%- do run_query("alter session set query_tag = '" ~ tojson(tag) ~ "'") -%}
        {{ return(target.query_tag) }}
    {%- endif -%}
{%- endmacro -%}

{#- Back to the session's own tag, which the profile gives. -#}
{%- macro snowflake__unset_query_tag(original_query_tag) -%}
    {%- if original_query_tag -%}
        {%- do run_query("alter session set query_tag = '" ~ original_query_tag ~ "'") -%}
    {%- endif -%}
{%- endmacro -%}
