{#- dbt's own question whether a table is rebuilt, with two more reasons: other code than today's made it,
    or a column of the contract that it does not have. dbt would leave every row that no increment touches
    as it is: null in a new column, of the former type, of the former grain, of the former threshold. Raw
    keeps everything, so the table can always be rebuilt. -#}
{%- macro should_full_refresh() -%}
    {%- set configured = config.get("full_refresh") -%}
    {%- if configured is not none -%} {{ return(configured) }} {%- endif -%}
    {%- if flags.FULL_REFRESH or not execute -%} {{ return(flags.FULL_REFRESH) }} {%- endif -%}
    {%- if not olist.is_incremental_model(model) -%} {{ return(false) }} {%- endif -%}
    {%- set node = graph.nodes[model.unique_id] -%}
    {%- if "made_anew" not in node -%}
        {#- A model asks several times; and the graph is what it shares with the hook that writes costs. -#}
        {%- do node.update({"made_anew": olist.is_made_by_other_code()}) -%}
    {%- endif -%}
    {{ return(node.made_anew) }}
{%- endmacro -%}

{#- Whether this model's table is there, and not as today's code would have made it. -#}
{%- macro is_made_by_other_code() -%}
    {%- set relation = adapter.get_relation(this.database, this.schema, this.table) -%}
    {%- if relation is none -%} {{ return(false) }} {%- endif -%}
    {%- set present = (
        adapter.get_columns_in_relation(relation)
        | map(attribute="name")
        | map("lower")
        | list
    ) -%}
    {%- set missing = model.columns | map("lower") | reject("in", present) | list -%}
    {{ return(missing != [] or olist.code_mark(model) not in olist.table_comment(relation)) }}
{%- endmacro -%}

{#- Whether a model's table was rebuilt by this command, though nobody asked for a full refresh. -#}
{%- macro is_made_anew(node) -%}
    {%- do return(graph.nodes.get(node.unique_id, {}).get("made_anew", false)) -%}
{%- endmacro -%}
