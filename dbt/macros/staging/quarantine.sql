{#- Rules that a raw record must meet to enter staging, and the reason when it does not.
    Each rule is a dict {column, broken, reason}; `broken` is a SQL condition that is never null. -#}
{%- macro must_be_present(column) -%}
    {{ return({"column": column, "broken": column ~ " is null", "reason": "is missing"}) }}
{%- endmacro -%}

{#- The source writes its ids in lower case. An id with capitals or spaces would be another id, so that
    what a file says again would count twice; and a word for nothing would be one person, or one order. -#}
{%- macro must_be_identifier(column) -%}
    {{
        return(
            {
                "column": column,
                "broken": column
                ~ " is not null and ("
                ~ column
                ~ " <> lower("
                ~ olist.trimmed(column)
                ~ ") or "
                ~ column
                ~ " in ('null', 'nan', 'none', 'n/a'))",
                "reason": "is no identifier (spaces, capitals or a word for nothing)",
            }
        )
    }}
{%- endmacro -%}

{%- macro must_be_timestamp(column) -%}
    {{
        return(
            olist.must_cast(
                column, olist.try_timestamp(column), "is not a timestamp 20YY-MM-DD HH:MM:SS"
            )
        )
    }}
{%- endmacro -%}

{#- An event cannot be known before it happens; the day is for clocks that stand elsewhere than UTC. -#}
{%- macro must_have_happened(column) -%}
    {{
        return(
            {
                "column": column,
                "broken": "coalesce("
                ~ olist.try_timestamp(column)
                ~ " > "
                ~ dbt.dateadd("day", 1, "_loaded_at")
                ~ ", false)",
                "reason": "lies in the future",
            }
        )
    }}
{%- endmacro -%}

{%- macro must_be_amount(column) -%}
    {{
        return(
            {
                "column": column,
                "broken": column
                ~ " is not null and coalesce("
                ~ olist.try_decimal(column)
                ~ ", -1) < 0",
                "reason": "is not an amount of whole cents, zero or more",
            }
        )
    }}
{%- endmacro -%}

{%- macro must_be_whole_number(column, minimum=0, maximum=2147483647) -%}
    {{
        return(
            {
                "column": column,
                "broken": column
                ~ " is not null and coalesce("
                ~ olist.try_integer(column)
                ~ ", -1) not between "
                ~ minimum
                ~ " and "
                ~ maximum,
                "reason": "is not a whole number from " ~ minimum ~ " to " ~ maximum,
            }
        )
    }}
{%- endmacro -%}

{%- macro must_be_number(column) -%}
    {{ return(olist.must_cast(column, olist.exact_decimal(column), "is not a number")) }}
{%- endmacro -%}

{%- macro must_be_one_of(column, values) -%}
    {{
        return(
            {
                "column": column,
                "broken": column
                ~ " is not null and lower("
                ~ olist.trimmed(column)
                ~ ") not in ('"
                ~ values
                | join("', '") ~ "')",
                "reason": "is none of " ~ values | join(", "),
            }
        )
    }}
{%- endmacro -%}

{%- macro must_cast(column, cast_expression, reason) -%}
    {{
        return(
            {
                "column": column,
                "broken": column ~ " is not null and " ~ cast_expression ~ " is null",
                "reason": reason,
            }
        )
    }}
{%- endmacro -%}

{#- Every broken rule of a record in one text, or null for a sound record. -#}
{%- macro quarantine_reason(rules) -%}
    nullif(
        {%- for rule in rules %}
            case when {{ rule.broken }} then '{{ rule.column }} {{ rule.reason }}; ' else '' end
            {{- " ||" if not loop.last }}
        {%- endfor %},
        ''
    )
{%- endmacro -%}
