{#- How plausible a row is, by named checks. A check is a dict {name, passed}: the name in snake_case says
    what holds, `passed` is a SQL condition; one that is null has not passed. Rows that fail stay where
    they are: monitoring counts them, quarantine is for what cannot be cast at all. -#}
{#- Share of the checks that a row passes, 0 to 1, decimal(5,4). -#}
{%- macro data_quality_score(checks) -%}
    {%- do olist.require_named_checks(checks) -%}
    cast(
        round(
            cast(
                {%- for check in checks %}
                    case when {{ check.passed }} then 1 else 0 end {{ "+" if not loop.last }}
                {%- endfor %} as decimal(18, 10)
            )
            / {{ checks | length }},
            4
        ) as decimal(5, 4)
    )
{%- endmacro -%}

{#- Names of the checks that a row does not pass, in their order, as 'one, another'; null when none. -#}
{%- macro failed_checks(checks) -%}
    {%- do olist.require_named_checks(checks) -%}
    nullif(
        substr(
            {%- for check in checks %}
                case when {{ check.passed }} then '' else ', {{ check.name }}' end
                {{- " ||" if not loop.last }}
            {%- endfor %},
            3
        ),
        ''
    )
{%- endmacro -%}

{%- macro require_named_checks(checks) -%}
    {%- set names = checks | map(attribute="name") | list -%}
    {%- if not names -%}
        {{ exceptions.raise_compiler_error("data quality wants at least one check") }}
    {%- endif -%}
    {%- for name in names -%}
        {%- if not modules.re.match("^[a-z][a-z0-9_]*$", name) or names.count(name) > 1 -%}
            {{
                exceptions.raise_compiler_error(
                    "a data quality check wants a snake_case name of its own, not '" ~ name ~ "'"
                )
            }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro -%}
