-- Grain: one row per invocation_id, node_id.
{{ config(materialized="view") }}

with
    results as (select * from {{ source("monitoring", "dbt_run_costs") }}),

    -- Runs that say how long a node takes: done, and alike in what was asked of them.
    completed as (
        select
            invocation_id,
            node_id,
            target,
            full_refresh,
            execution_time_s,
            row_number() over (
                partition by node_id, target, full_refresh order by run_started_at, invocation_id
            ) as run_number
        from results
        where status in ('success', 'pass', 'warn', 'fail')
    ),

    typical as (
        select
            runs.invocation_id,
            runs.node_id,
            count(*) as previous_runs,
            median(previous.execution_time_s) as typical_time_s
        from completed as runs
        inner join
            completed as previous
            on runs.node_id = previous.node_id
            and runs.target = previous.target
            and runs.full_refresh = previous.full_refresh
            and previous.run_number < runs.run_number
            and previous.run_number >= runs.run_number - {{ var("run_history_runs") }}
        group by runs.invocation_id, runs.node_id
    ),

    joined as (
        select
            results.invocation_id,
            results.node_id,
            results.run_started_at,
            cast(results.run_started_at as date) as run_date,
            results.dag_id,
            results.dag_run_id,
            results.task_id,
            results.try_number,
            results.git_sha,
            results.command,
            results.target,
            results.full_refresh,
            results.resource_type,
            results.layer,
            results.tested_node_id,
            results.status,
            results.status in ('error', 'fail', 'runtime error') as is_failed,
            results.failures,
            results.message,
            results.execution_time_s,
            cast(coalesce(typical.previous_runs, 0) as integer) as previous_runs,
            cast(typical.typical_time_s as decimal(18, 6)) as typical_time_s,
            {{ ratio("results.execution_time_s", "typical.typical_time_s") }} as time_ratio,
            coalesce(
                typical.previous_runs >= {{ var("run_history_minimum_runs") }}
                and results.execution_time_s > typical.typical_time_s * {{ var("slow_run_factor") }}
                and results.execution_time_s - typical.typical_time_s
                > {{ var("slow_run_minimum_seconds") }},
                false
            ) as is_slow,
            results.relation_rows,
            results.bytes,
            results.cost_basis,
            results.credits_estimated,
            results.credits_attributed,
            results.notional_cost
        from results
        left join
            typical
            on results.invocation_id = typical.invocation_id
            and results.node_id = typical.node_id
    )

select *
from joined
