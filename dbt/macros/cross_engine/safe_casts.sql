{#- Casts of raw text that give null where the text does not fit, on both engines. -#}
{#- Timestamp written as 20YY-MM-DD HH:MM:SS; no time zone is read from the text. A format holds neither
    a year to four digits (18 would be the year 18) nor a month to two, and the engines differ in what
    else it lets pass: so the text's shape is asked first. -#}
{%- macro try_timestamp(text) -%}
    case
        when {{ olist.trimmed(text) }} like '20__-__-__ __:__:__'
        then {{ adapter.dispatch("try_timestamp", "olist")(text) }}
    end
{%- endmacro -%}

{%- macro default__try_timestamp(text) -%}
    try_strptime({{ olist.trimmed(text) }}, '%Y-%m-%d %H:%M:%S')
{%- endmacro -%}

{%- macro snowflake__try_timestamp(text) -%}
    try_to_timestamp_ntz({{ olist.trimmed(text) }}, 'YYYY-MM-DD HH24:MI:SS')
{%- endmacro -%}

{#- Decimal number. A text with more places than `scale` is null: rounding it would change it. -#}
{%- macro try_decimal(text, precision=18, scale=2) -%}
    {%- set exact = olist.exact_decimal(text) -%}
    case
        when {{ exact }} = cast({{ exact }} as decimal({{ precision }}, {{ scale }}))
        then cast({{ exact }} as decimal({{ precision }}, {{ scale }}))
    end
{%- endmacro -%}

{#- Whole number; 225.0 is one, 1.5 is not. -#}
{%- macro try_integer(text) -%}
    {%- set exact = olist.exact_decimal(text) -%}
    case
        when {{ exact }} = cast({{ exact }} as decimal(18, 0)) then cast({{ exact }} as integer)
    end
{%- endmacro -%}

{#- Nine digits before and nine after the point: 18 digits are what both engines handle as fast as an
    integer (38 took DuckDB eighty times as long). -#}
{%- macro exact_decimal(text) -%}
    {{ return(adapter.dispatch("exact_decimal", "olist")(text)) }}
{%- endmacro -%}

{#- DuckDB reads 1_000 as a thousand; Snowflake does not. -#}
{%- macro default__exact_decimal(text) -%}
    try_cast(replace({{ olist.trimmed(text) }}, '_', '?') as decimal(18, 9))
{%- endmacro -%}

{%- macro snowflake__exact_decimal(text) -%}
    try_to_decimal({{ olist.trimmed(text) }}, 18, 9)
{%- endmacro -%}
