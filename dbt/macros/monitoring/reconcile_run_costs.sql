{#- The comment in every query: which node of which invocation asked. -#}
{%- macro run_query_comment(node) -%}
    {%- set comment = {"app": "olist", "invocation_id": invocation_id, "target": target.name} -%}
    {%- if node is not none -%} {%- do comment.update({"node_id": node.unique_id}) -%} {%- endif -%}
    {{ return(tojson(comment)) }}
{%- endmacro -%}

{#- Fill credits_attributed with what Snowflake attributes to the queries of each node:

        olist dbt --env prod -- run-operation reconcile_run_costs

    A node sends several statements and dbt tells the id of the main one only, so that queries are
    found by the comment in their text. QUERY_ATTRIBUTION_HISTORY lags up to eight hours, leaves out
    the warehouse's idle time and queries under about a tenth of a second: a node without an entry
    keeps its estimate. Running it again gives the same figures. No Snowflake account could be reached
    from where this was written: the statement has never run on real account usage views. -#}
{%- macro reconcile_run_costs() -%}
    {%- if target.type == "snowflake" -%}
        {%- do run_query(olist.reconcile_run_costs_statement()) -%}
        {%- do log("Credits attributed as far as account usage reaches.", info=true) -%}
    {%- else -%}
        {{
            exceptions.raise_compiler_error(
                "there are no credits on " ~ target.type ~ ": its costs are notional"
            )
        }}
    {%- endif -%}
{%- endmacro -%}

{%- macro reconcile_run_costs_statement() -%}
    merge into {{ source("monitoring", "dbt_run_costs") }} as costs
    using
        (
            select
                invocation_id,
                node_id,
                sum(
                    coalesce(credits_attributed_compute, 0)
                    + coalesce(credits_used_query_acceleration, 0)
                ) as credits
            from
                (
                    select
                        query_id,
                        regexp_substr(
                            query_text, '"invocation_id": "([^"]+)"', 1, 1, 'e', 1
                        ) as invocation_id,
                        regexp_substr(query_text, '"node_id": "([^"]+)"', 1, 1, 'e', 1) as node_id
                    from {{ var("account_usage_schema") }}.query_history
                    where
                        start_time >= dateadd(
                            day, -{{ var("reconcile_lookback_days") }}, current_timestamp
                        )
                        and query_text like '%"app": "olist"%'
                ) as queries
            inner join
    {{ var("account_usage_schema") }}.query_attribution_history
                using (query_id)
            where invocation_id is not null and node_id is not null
            group by invocation_id, node_id
        ) as attributed
        on costs.invocation_id = attributed.invocation_id
        and costs.node_id = attributed.node_id
    when matched
    then update set credits_attributed = attributed.credits, cost_basis = 'attributed'
{%- endmacro -%}
