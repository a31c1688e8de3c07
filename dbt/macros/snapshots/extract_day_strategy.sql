{#- The snapshot strategy `extract_day`: a version begins with the day of its extract, on the data's
    clock and not on that of the run. A version is new when one of `check_cols` differs, as with dbt's
    own strategy `check`. The snapshotted relation has two columns for it: `extracted_at`, of the
    record, and `latest_extract_at`, of everything the relation is made of.

    History only grows at its end: no window begins or ends before something that was recorded
    earlier, so windows can neither overlap nor be empty, whatever arrives late. -#}
{%- macro snapshot_extract_day_strategy(
    node, snapshotted_rel, current_rel, model_config, target_exists
) -%}
    {%- set strategy = snapshot_check_strategy(
        node, snapshotted_rel, current_rel, model_config, target_exists
    ) -%}
    {%- set valid_from = olist.moment_behind_history("extracted_at") -%}
    {%- do strategy.update(
        {
            "updated_at": valid_from,
            "scd_id": snapshot_hash_arguments([strategy.unique_key, valid_from]),
        }
    ) -%}
    {%- if olist.history_is_wider_than_the_sample(strategy.unique_key) -%}
        {%- do strategy.update({"hard_deletes": "ignore", "invalidate_hard_deletes": false}) -%}
    {%- endif -%}
    {%- do return(strategy) -%}
{%- endmacro -%}

{#- Whether this snapshot follows people whom the run's sample leaves out: they are not gone, and who is
    cannot be told from them, so the run ends no window. Everything but people is whole in a sample. -#}
{%- macro history_is_wider_than_the_sample(unique_key) -%}
    {%- set misses_people = (
        unique_key == "customer_unique_id" and olist.sample_share_number() < 1
    ) -%}
    {%- if not misses_people or load_cached_relation(this) is none -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set outside = run_query(
        "select count(*) from "
        ~ this
        ~ " where dbt_valid_to is null and not ("
        ~ olist.person_in_sample(unique_key)
        ~ ")"
    ) -%}
    {{ return(outside.columns[0].values()[0] | int > 0) }}
{%- endmacro -%}

{#- A moment, if it lies behind all that this snapshot holds. If not, what changed is not news of that
    extract but of the latest: it is dated by that, or a second after what was recorded last. -#}
{%- macro moment_behind_history(moment) -%}
    {%- if load_cached_relation(this) is none -%} {{ moment }}
    {%- else -%}
        {%- set history_end = (
            "(select max(coalesce(dbt_valid_to, dbt_valid_from)) from " ~ this ~ ")"
        ) -%}
        case
            when {{ moment }} > {{ history_end }}
            then {{ moment }}
            else
                greatest(
                    latest_extract_at,
                    coalesce({{ dbt.dateadd("second", 1, history_end) }}, latest_extract_at)
                )
        end
    {%- endif -%}
{%- endmacro -%}

{#- dbt ends the window of a record that is gone by this clock: the latest extract is the first that
    does not have it. Overrides dbt's wall clock, for snapshots only. -#}
{%- macro default__snapshot_get_time() -%}
    (
        select max({{ olist.moment_behind_history("latest_extract_at") }})
        from ({{ model.compiled_code }}) as snapshotted
    )
{%- endmacro -%}
