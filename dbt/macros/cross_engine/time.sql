{#- Time arithmetic that means the same on both engines. -#}
{#- Wall-clock timestamp of the source's time zone -> UTC, daylight saving included. Where the wall clock
    does not name one moment, DuckDB's answer, held by unit tests, is: a time that the start of daylight
    saving skips (2017-10-15 00:00 to 00:59) is read with the offset before it, so 00:30 is the same
    moment as 01:30; a time that its end repeats (2017-02-18 23:00 to 23:59) is the later of the two, in
    standard time. An event of such an hour may be an hour off, and its date, month and hour never are:
    they come from the wall clock. Snowflake has not been asked; it may answer the other moment. -#}
{%- macro standardize_timestamp(local_timestamp) -%}
    {{ return(adapter.dispatch("standardize_timestamp", "olist")(local_timestamp)) }}
{%- endmacro -%}

{%- macro default__standardize_timestamp(local_timestamp) -%}
    timezone('UTC', timezone('{{ var("source_time_zone") }}', {{ local_timestamp }}))
{%- endmacro -%}

{%- macro snowflake__standardize_timestamp(local_timestamp) -%}
    convert_timezone('{{ var("source_time_zone") }}', 'UTC', {{ local_timestamp }})
{%- endmacro -%}

{#- Fractional days from one timestamp to a later one, exact to the microday. -#}
{%- macro days_between(start_at, end_at) -%}
    cast({{ dbt.datediff(start_at, end_at, "second") }} / 86400.0 as decimal(12, 6))
{%- endmacro -%}

{#- Fractional hours from one timestamp to a later one. -#}
{%- macro hours_between(start_at, end_at) -%}
    cast({{ dbt.datediff(start_at, end_at, "second") }} / 3600.0 as decimal(12, 6))
{%- endmacro -%}

{#- First day of the day, week (Monday) or month that a date lies in. -#}
{%- macro period_start(period_type, date_expression) -%}
    cast(date_trunc('{{ period_type }}', {{ date_expression }}) as date)
{%- endmacro -%}

{#- A date some periods later (or earlier, when negative). -#}
{%- macro add_periods(period_type, count, date_expression) -%}
    cast({{ dbt.dateadd(period_type, count, date_expression) }} as date)
{%- endmacro -%}

{#- Monday is 1, Sunday is 7. -#}
{%- macro iso_weekday(date_expression) -%}
    {{ return(adapter.dispatch("iso_weekday", "olist")(date_expression)) }}
{%- endmacro -%}

{%- macro default__iso_weekday(date_expression) -%}
    cast(isodow({{ date_expression }}) as integer)
{%- endmacro -%}

{%- macro snowflake__iso_weekday(date_expression) -%}
    cast(dayofweekiso({{ date_expression }}) as integer)
{%- endmacro -%}
