{#- Scores, tiers and the shares they are made of. A null stays null: unknown is never a bad mark. -#}
{#- Share of the way from nothing to a target, 0 to 1; more than the target is 1. -#}
{%- macro share_of_target(value, target) -%}
    case
        when {{ value }} is not null
        then least(1.0, greatest(0.0, cast({{ value }} as double) / {{ target }}))
    end
{%- endmacro -%}

{#- The same on a logarithmic scale: of a target of 200, 13 is half the way. -#}
{%- macro log_share_of_target(value, target) -%}
    {{ olist.share_of_target("ln(1 + cast(" ~ value ~ " as double))", "ln(1 + " ~ target ~ ")") }}
{%- endmacro -%}

{#- 1 at `best` and below, 0 at `worst` and above, straight between. -#}
{%- macro falling_share(value, best, worst) -%}
    {{ olist.share_of_target(worst ~ " - cast(" ~ value ~ " as double)", worst - best) }}
{%- endmacro -%}

{#- Weighted mean of the known parts on the scale of `full_marks`, rounded to two places; null where no
    part is known. `parts` maps an expression's name to the expression, `weights` the name to its weight:
    an unknown part leaves its weight to the others. -#}
{%- macro weighted_score(parts, weights, full_marks=100) -%}
    {%- if parts.keys() | sort | join(",") != weights.keys() | sort | join(",") -%}
        {{
            exceptions.raise_compiler_error(
                "weights name " ~ weights.keys()
                | sort
                | join(", ") ~ " where the score is made of " ~ parts.keys()
                | sort
                | join(", ")
            )
        }}
    {%- endif -%}
    round(
        {{ full_marks }} * (
            {%- for name, expression in parts.items() %}
                coalesce(({{ expression }}) * {{ weights[name] }}, 0) {{ "+" if not loop.last }}
            {%- endfor %}
        )
        / nullif(
            {%- for name, expression in parts.items() %}
                case
                    when ({{ expression }}) is not null
                    then cast({{ weights[name] }} as double)
                    else 0
                end {{ "+" if not loop.last }}
            {%- endfor %},
            0
        ),
        2
    )
{%- endmacro -%}

{#- Name of the first tier, from the highest minimum down, that a value reaches; null where the value is
    null or below them all. `tiers` maps the name to its minimum, inside. -#}
{%- macro tier(value, tiers) -%}
    case
        {%- for name, minimum in tiers.items() | sort(attribute="1", reverse=true) %}
            when {{ value }} >= {{ minimum }} then '{{ name }}'
        {%- endfor %}
    end
{%- endmacro -%}

{#- Quarter of the peers, 1 the lowest to 4, from a percent rank: equal values are in equal quarters. -#}
{%- macro quartile(percent_rank) -%}
    case
        when {{ percent_rank }} is not null
        then cast(least(4, 1 + floor(4 * {{ percent_rank }})) as integer)
    end
{%- endmacro -%}

{#- The reasons whose flag is true, separated by "; "; null where none is. `reasons` maps the flag to
    its wording. -#}
{%- macro flag_reasons(reasons) -%}
    nullif(
        substr(
            {%- for flag, reason in reasons.items() %}
                case when {{ flag }} then '; {{ reason }}' else '' end {{ "||" if not loop.last }}
            {%- endfor %},
            3
        ),
        ''
    )
{%- endmacro -%}
