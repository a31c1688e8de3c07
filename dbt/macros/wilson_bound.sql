{#- A bound of Wilson's score interval of a share, 0 to 1, which holds for few observations too; null
    without any. Half width: var `retention_interval_z`, in standard deviations.

    Args: successes, trials: counts; bound: lower or upper. -#}
{%- macro wilson_bound(successes, trials, bound) -%}
    {%- set z = var("retention_interval_z") -%}
    {%- set successes = "cast(" ~ successes ~ " as double)" -%}
    {%- set trials = "cast(" ~ trials ~ " as double)" -%}
    {%- set function, limit, sign, certain = (
        ("greatest", 0, "-", "0") if bound == "lower" else ("least", 1, "+", trials)
    ) -%}
    case
        -- Nobody, or everybody: the bound is the share itself, to the last digit.
        when {{ trials }} > 0 and {{ successes }} = {{ certain }}
        then cast({{ limit }} as double)
        when {{ trials }} > 0
        then
            {{ function }} (
                {{ limit }},
                (
                    {{ successes }}
                    + {{ z * z / 2 }} {{ sign }} {{ z }}
                    * sqrt(
                        {{ successes }} * ({{ trials }} - {{ successes }}) / {{ trials }}
                        + {{ z * z / 4 }}
                    )
                )
                / ({{ trials }} + {{ z * z }})
            )
    end
{%- endmacro -%}
