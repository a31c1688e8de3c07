{#- What every dbt command did and cost, one row per node, in the table `monitoring.dbt_run_costs`.

    The table is no dbt model: nothing rebuilds, replaces or drops it, `--full-refresh` included, so
    its history stays. `ensure_run_costs_table` (on-run-start) makes it, and adds a column that a
    later version of the project brings; `capture_run_costs` (on-run-end) appends to it.

    The rows are one returned statement and no run_query(): a database that refuses it leaves a hook in
    error in run_results.json, while an exception inside a macro would keep dbt from its summary.
    Neither engine is given a value that it could fail to read: texts are quoted, times and numbers are
    dbt's own. A command that is killed leaves no rows. -#}
{#- Columns of the table in their order, with their types; their meaning: models/monitoring/_sources.yml. -#}
{%- macro run_costs_columns() -%}
    {{
        return(
            {
                "invocation_id": "varchar",
                "run_started_at": "timestamp",
                "git_sha": "varchar",
                "dag_id": "varchar",
                "dag_run_id": "varchar",
                "task_id": "varchar",
                "try_number": "integer",
                "command": "varchar",
                "target": "varchar",
                "adapter": "varchar",
                "dbt_version": "varchar",
                "full_refresh": "boolean",
                "captured_at": "timestamp",
                "node_id": "varchar",
                "resource_type": "varchar",
                "layer": "varchar",
                "tested_node_id": "varchar",
                "materialized": "varchar",
                "status": "varchar",
                "failures": "bigint",
                "message": "varchar",
                "execute_started_at": "timestamp",
                "execute_completed_at": "timestamp",
                "execution_time_s": "decimal(18,6)",
                "thread_id": "varchar",
                "rows_affected": "bigint",
                "relation_rows": "bigint",
                "bytes": "bigint",
                "query_id": "varchar",
                "warehouse": "varchar",
                "warehouse_size": "varchar",
                "credits_estimated": "decimal(18,9)",
                "credits_attributed": "decimal(18,9)",
                "notional_cost": "decimal(18,9)",
                "cost_basis": "varchar",
            }
        )
    }}
{%- endmacro -%}

{%- macro ensure_run_costs_table() -%}
    {{
        olist.ensure_source_table(
            source("monitoring", "dbt_run_costs"), olist.run_costs_columns()
        )
    }}
{%- endmacro -%}

{#- The statement that appends a row for each result of this invocation, or nothing where the var
    `capture_costs` is false, there is no result, or no table to write to. -#}
{%- macro capture_run_costs(results) -%}
    {%- set table = source("monitoring", "dbt_run_costs") -%}
    {%- if execute and var("capture_costs") and results -%}
        {%- set existing = load_relation(table) -%}
        {%- if existing is none or not existing.is_table -%}
            {%- do exceptions.warn(table ~ " is missing: the run's costs are not captured") -%}
        {%- else -%} {{ olist.run_costs_insert(table, results) }} {%- do olist.end_transaction() -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}

{#- dbt's own look into the database may have begun a transaction, and would roll it back behind a hook:
    the hook's statement, which runs after its macro, has to find none open. -#}
{%- macro end_transaction() -%}
    {%- call statement("open_transaction", auto_begin=true) -%} select 1 {%- endcall -%}
    {%- do adapter.commit() -%}
{%- endmacro -%}

{#- Snowflake reads statements up to one megabyte: the rows go in several of them. Values are quoted in
    place: a macro called for each of them would take most of the hook's time. -#}
{%- macro run_costs_insert(table, results) -%}
    {%- set backslash = olist.escaped_backslash() -%}
    {%- set columns = olist.run_costs_columns() -%}
    {%- set of_invocation = olist.run_costs_of_invocation() -%}
    {%- set of_relation = ["relation_rows", "bytes"] -%}
    {%- set sizes = olist.relation_sizes(results) -%}
    {%- set rows = {} -%}
    {%- for result in results -%}
        {%- do rows.update({result.node.unique_id: olist.run_costs_of_node(result)}) -%}
    {%- endfor -%}
    {%- set of_node = (rows.values() | first).keys() | list -%}
    {%- for chunk in rows.values() | batch(300) %}
        insert into {{ table }} ({{ columns.keys() | join(", ") }})
        select
        {% for name, type in columns.items() %}
            {%- if name in of_invocation -%}
                {%- set value = (of_invocation[name] or "") | string -%}
                {%- set value = value.replace("\\", backslash).replace("'", "''") -%}
                    cast(nullif({{ "'" ~ value ~ "'" }}, '') as {{ type }})
            {%- elif name in of_relation -%} cast(sizes.{{ name }} as {{ type }})
            {%- else -%} cast(nullif(results.{{ name }}, '') as {{ type }})
            {%- endif -%}
            {{ ", " if not loop.last }}
        {% endfor %}
        from
            (
                values
        {% for row in chunk -%}
                        (
            {%- for value in row.values() -%}
                {%- set value = "" if value is none else value | string -%}
                {%- set value = value.replace("\\", backslash) -%}
                {{ "'" ~ value.replace("'", "''") ~ "'" }}{{ "," if not loop.last }}
            {%- endfor -%}
                        ){{ "," if not loop.last }}
        {% endfor %}
            ) as results({{ of_node | join(", ") }})
        left join ({{ sizes }}) as sizes on results.node_id = sizes.node_id;
    {%- endfor -%}
{%- endmacro -%}

{#- What all rows of this invocation share. -#}
{%- macro run_costs_of_invocation() -%}
    {%- set try_number = env_var("AIRFLOW_CTX_TRY_NUMBER", "") -%}
    {{
        return(
            {
                "invocation_id": invocation_id,
                "run_started_at": olist.utc_text(run_started_at),
                "git_sha": env_var("OLIST_GIT_SHA", ""),
                "dag_id": env_var("AIRFLOW_CTX_DAG_ID", ""),
                "dag_run_id": env_var("AIRFLOW_CTX_DAG_RUN_ID", ""),
                "task_id": env_var("AIRFLOW_CTX_TASK_ID", ""),
                "try_number": try_number if try_number.isdigit() else none,
                "command": flags.WHICH,
                "target": target.name,
                "adapter": target.type,
                "dbt_version": dbt_version,
                "captured_at": olist.utc_text(modules.datetime.datetime.now(modules.pytz.utc)),
            }
        )
    }}
{%- endmacro -%}

{#- What one result tells, as texts. -#}
{%- macro run_costs_of_node(result) -%}
    {%- set node = result.node -%}
    {%- set response = result.adapter_response or {} -%}
    {%- set execution = namespace(started_at=none, completed_at=none) -%}
    {%- for timing in result.timing if timing.name == "execute" -%}
        {%- set execution.started_at = timing.started_at -%}
        {%- set execution.completed_at = timing.completed_at -%}
    {%- endfor -%}
    {%- set tested = namespace(node=none) -%}
    {%- if node.resource_type in ["test", "unit_test"] -%}
        {%- set parents = node.depends_on.nodes -%}
        {%- set tested_id = node.attached_node or (parents[0] if parents else none) -%}
        {%- set tested.node = graph.nodes.get(tested_id) or graph.sources.get(tested_id) -%}
    {%- endif -%}
    {%- set row = {
        "node_id": node.unique_id,
        "resource_type": node.resource_type | string,
        "layer": (tested.node or node).schema,
        "tested_node_id": tested.node.unique_id if tested.node else none,
        "materialized": node.config.materialized or none,
        "full_refresh": (
            "true" if flags.FULL_REFRESH or olist.is_made_anew(node) else "false"
        ),
        "status": result.status | string,
        "failures": result.failures,
        "message": ((result.message or "") | string).replace("\x00", "")[
            : var("run_message_length")
        ],
        "execute_started_at": olist.utc_text(execution.started_at),
        "execute_completed_at": olist.utc_text(execution.completed_at),
        "execution_time_s": "%.6f" | format(result.execution_time or 0),
        "thread_id": result.thread_id,
        "rows_affected": response.get("rows_affected"),
        "query_id": response.get("query_id"),
    } -%}
    {%- do row.update(olist.node_cost(node, result.execution_time or 0)) -%}
    {{ return(row) }}
{%- endmacro -%}

{#- What a node's seconds cost on this engine. Credits and the notional money of an embedded engine are
    columns of their own, so that no sum can mix them. -#}
{%- macro node_cost(node, seconds) -%}
    {{ return(adapter.dispatch("node_cost", "olist")(node, seconds)) }}
{%- endmacro -%}

{%- macro default__node_cost(node, seconds) -%}
    {{
        return(
            {
                "warehouse": none,
                "warehouse_size": none,
                "credits_estimated": none,
                "credits_attributed": none,
                "notional_cost": "%.9f" | format(seconds * var("notional_cost_per_second")),
                "cost_basis": "notional",
            }
        )
    }}
{%- endmacro -%}

{#- Whole seconds of a warehouse for each node: nodes that run side by side each pay for all of it, so
    the estimate is an upper bound until reconcile_run_costs replaces it. Sizes are the environment's
    (OLIST_SNOWFLAKE_WAREHOUSE_SIZES, JSON by name); a warehouse without one has no estimate. -#}
{%- macro snowflake__node_cost(node, seconds) -%}
    {%- set warehouse = (node.config.snowflake_warehouse or target.warehouse) | upper -%}
    {%- set size = fromjson(env_var("OLIST_SNOWFLAKE_WAREHOUSE_SIZES", "{}")).get(warehouse) -%}
    {%- set credits = var("warehouse_credits_per_hour").get(size) -%}
    {{
        return(
            {
                "warehouse": warehouse,
                "warehouse_size": size,
                "credits_estimated": (
                    "%.9f" | format(seconds / 3600 * credits) if credits else none
                ),
                "credits_attributed": none,
                "notional_cost": none,
                "cost_basis": "estimate",
            }
        )
    }}
{%- endmacro -%}

{#- A moment as a text both engines read as a timestamp without zone, in UTC; none stays none. dbt's own
    moments have no zone and are UTC. -#}
{%- macro utc_text(moment) -%}
    {{ return(moment.strftime("%Y-%m-%d %H:%M:%S.%f") if moment else none) }}
{%- endmacro -%}
