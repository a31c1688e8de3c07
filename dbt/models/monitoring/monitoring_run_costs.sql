-- Grain: one row per run_date, target, cost_basis, node_id.
{{ config(materialized="view") }}

with
    results as (select * from {{ source("monitoring", "dbt_run_costs") }}),

    -- A node that moved to another layer or changed its materialization on a day is still one node.
    aggregated as (
        select
            cast(run_started_at as date) as run_date,
            target,
            cost_basis,
            node_id,
            max(resource_type) as resource_type,
            max(layer) as layer,
            count(*) as runs,
            count(case when status in ('error', 'fail', 'runtime error') then 1 end) as failed_runs,
            count(case when status = 'skipped' then 1 end) as skipped_runs,
            sum(failures) as failures,
            sum(execution_time_s) as execution_time_s,
            max(execution_time_s) as max_execution_time_s,
            sum(credits_estimated) as credits_estimated,
            sum(credits_attributed) as credits_attributed,
            sum(coalesce(credits_attributed, credits_estimated)) as credits,
            sum(notional_cost) as notional_cost
        from results
        group by cast(run_started_at as date), target, cost_basis, node_id
    ),

    renamed as (
        select
            run_date,
            target,
            cost_basis,
            node_id,
            resource_type,
            layer,
            cast(runs as integer) as runs,
            cast(failed_runs as integer) as failed_runs,
            cast(skipped_runs as integer) as skipped_runs,
            cast(failures as bigint) as failures,
            cast(execution_time_s as decimal(18, 6)) as execution_time_s,
            cast(max_execution_time_s as decimal(18, 6)) as max_execution_time_s,
            cast(credits_estimated as decimal(18, 9)) as credits_estimated,
            cast(credits_attributed as decimal(18, 9)) as credits_attributed,
            cast(credits as decimal(18, 9)) as credits,
            cast(notional_cost as decimal(18, 9)) as notional_cost
        from aggregated
    )

select *
from renamed
