{#- Fill credits_attributed with what Snowflake attributes to the queries of each node:

        olist dbt --env prod -- run-operation reconcile_run_costs

    The DAG olist_monitoring does it in each pass.
    A node sends several statements, of which dbt tells the main one's id only: they are found by the
    query tag, which names invocation and node (macros/observability/query_metadata.sql).
    QUERY_ATTRIBUTION_HISTORY lags up to eight hours and leaves out the warehouse's idle time and
    queries under about a tenth of a second: a node without an entry keeps its estimate. Running it
    again gives the same figures, also when a run leaves the days that are looked at. No Snowflake
    account could be reached from where this was written: the statement has never run on the real
    view. -#}
{%- macro reconcile_run_costs() -%}
    {%- if target.type != "snowflake" -%}
        {{
            exceptions.raise_compiler_error(
                "there are no credits on " ~ target.type ~ ": its costs are notional"
            )
        }}
    {%- endif -%}
    {%- if load_relation(source("monitoring", "dbt_run_costs")) is none -%}
        {%- do log("No run is recorded yet.", info=true) -%} {{ return("") }}
    {%- endif -%}
    {%- do run_query(olist.reconcile_run_costs_statement()) -%}
    {%- do log("Credits attributed as far as account usage reaches.", info=true) -%}
{%- endmacro -%}

{%- macro reconcile_run_costs_statement() -%}
    merge into {{ source("monitoring", "dbt_run_costs") }} as costs
    using
        (
            select
                invocation_id,
                node_id,
                sum(credits_attributed_compute)
                + sum(coalesce(credits_used_query_acceleration, 0)) as credits
            from
                (
                    select
                        cast(
                            get_path(try_parse_json(query_tag), 'invocation_id') as varchar
                        ) as invocation_id,
                        cast(get_path(try_parse_json(query_tag), 'node_id') as varchar) as node_id,
                        credits_attributed_compute,
                        credits_used_query_acceleration
                    from {{ var("account_usage_schema") }}.query_attribution_history
                    where
                        start_time >= dateadd(
                            day, -{{ var("reconcile_lookback_days") }}, current_timestamp
                        )
                ) as queries
            where invocation_id is not null and node_id is not null
            group by invocation_id, node_id
        ) as attributed
        on costs.invocation_id = attributed.invocation_id
        and costs.node_id = attributed.node_id
    -- What is attributed only grows: less of it is a node whose first statements are out of sight.
    when matched
    and (
        costs.credits_attributed is null
        or costs.credits_attributed < cast(attributed.credits as decimal(18, 9))
    )
    then update set credits_attributed = attributed.credits, cost_basis = 'attributed'
{%- endmacro -%}
