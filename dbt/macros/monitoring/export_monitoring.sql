{#- What monitoring looks at, left by the process that wrote it.

    A DuckDB file has one writer, which blocks every reader, and a reader blocks a writer: the hourly
    checks never open the warehouse. Each command of dbt ends with a copy of what they ask for, one
    Parquet file for each relation, replaced whole (platform/docs/decisions/monitoring-reads-copies.md).
    On Snowflake readers and writers do not meet, and nothing is copied. -#}
{%- macro export_monitoring() -%}
    {%- set folder = env_var("OLIST_MONITORING_EXPORT", "") -%}
    {%- if execute and folder and target.type == "duckdb" -%}
        {%- set costs = source("monitoring", "dbt_run_costs") -%}
        {%- for name, condition in olist.monitoring_exports().items() -%}
            {%- set relation = load_relation(
                api.Relation.create(
                    database=costs.database, schema=costs.schema, identifier=name
                )
            ) -%}
            {%- set path = (folder ~ "/" ~ name ~ ".parquet").replace("'", "''") -%}
            {%- if relation is not none and relation.is_table %}
                copy (select * from {{ relation }} where {{ condition }})
                to '{{ path }}' (format parquet, use_tmp_file true);
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}

{#- Relations of the monitoring schema with the rows that are asked for. Two months of runs hold the
    month so far and the history that durations are judged by. -#}
{%- macro monitoring_exports() -%}
    {%- set since = run_started_at - modules.datetime.timedelta(days=var("run_history_days")) -%}
    {%- set in_window = "is_in_detection_window" -%}
    {%- set exports = {
        "dbt_run_costs": since.strftime("run_started_at >= '%Y-%m-%d %H:%M:%S'"),
        "monitoring_freshness": "true",
        "monitoring_data_quality": "true",
        "monitoring_column_profile": "true",
        "monitoring_order_anomalies": "true",
        "monitoring_volume": in_window,
        "monitoring_segment_volume": in_window,
    } -%}
    {{ return(exports) }}
{%- endmacro -%}
