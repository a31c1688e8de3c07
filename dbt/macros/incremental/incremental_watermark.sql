{#- Newest value of a timestamp column already in this model, less the engine's lookback. -#}
{%- macro incremental_watermark(column) -%}
    (
        select
            coalesce(
                {{
                    dbt.dateadd(
                        "hour", -1 * olist.incremental_lookback_hours(), "max(" ~ column ~ ")"
                    )
                }},
                cast('1900-01-01 00:00:00' as timestamp)
            )
        from {{ this }}
    )
{%- endmacro -%}

{#- How far behind its newest row a model looks again. DuckDB's loader is the only writer and each of
    its runs has a later _loaded_at, so nothing older can appear; Snowpipe loads files side by side. -#}
{%- macro incremental_lookback_hours() -%}
    {{ return(adapter.dispatch("incremental_lookback_hours", "olist")()) }}
{%- endmacro -%}

{%- macro default__incremental_lookback_hours() -%} {{ return(0) }} {%- endmacro -%}

{%- macro snowflake__incremental_lookback_hours() -%}
    {{ return(var("snowpipe_lookback_hours")) }}
{%- endmacro -%}
