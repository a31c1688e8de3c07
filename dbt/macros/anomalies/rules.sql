{#- Rules kept in a seed (rule_id, threshold, points, growth_limit, reason) and applied in a model.
    A rule fires when what it observes is MORE than its threshold. A rule without a row in the seed is
    switched off. The macros share two conventions: the seed's row is cross joined as `rules`, and
    a rule has the columns `has_<rule_id>` and `<rule_id>_observed`. -#}
{#- The seed as one row, for a cross join named `rules`. The threshold of the rules that observe a robust
    z-score is never below the var z_score_threshold. -#}
{%- macro rule_parameters(seed, rule_ids, z_score_rules) -%}
    select
        {% for rule_id in rule_ids %}
            max(
                case
                    {% if rule_id in z_score_rules %}
                        when
                            rule_id = '{{ rule_id }}' and threshold < {{ var("z_score_threshold") }}
                        then {{ var("z_score_threshold") }}
                    {% endif %}
                    when rule_id = '{{ rule_id }}'
                    then cast(threshold as double)
                end
            ) as {{ rule_id }}_threshold,
            max(
                case when rule_id = '{{ rule_id }}' then cast(points as double) end
            ) as {{ rule_id }}_points,
            max(
                case when rule_id = '{{ rule_id }}' then cast(growth_limit as double) end
            ) as {{ rule_id }}_growth_limit,
            max(
                case when rule_id = '{{ rule_id }}' then reason end
            ) as {{ rule_id }}_reason {{ "," if not loop.last }}
        {% endfor %}
    from {{ seed }}
{%- endmacro -%}

{#- The two columns of a rule that the macros below read: what it observed and whether it fires. -#}
{%- macro rule_columns(rule_id, observed) -%}
    {{ observed }} as {{ rule_id }}_observed,
    coalesce({{ observed }} > rules.{{ rule_id }}_threshold, false) as has_{{ rule_id }}
{%- endmacro -%}

{#- Sum of the points of the rules that fired. A rule's points grow with how far the observed is beyond
    the threshold, up to its growth limit (1: the points, however far). -#}
{%- macro rule_points(rule_ids) -%}
    {% for rule_id in rule_ids %}
        case
            when not has_{{ rule_id }}
            then 0
            when rules.{{ rule_id }}_growth_limit <= 1
            then rules.{{ rule_id }}_points
            when
                {{ rule_id }}_observed
                >= rules.{{ rule_id }}_threshold * rules.{{ rule_id }}_growth_limit
            then rules.{{ rule_id }}_points * rules.{{ rule_id }}_growth_limit
            else rules.{{ rule_id }}_points * {{ rule_id }}_observed / rules.{{ rule_id }}_threshold
        end {{ "+" if not loop.last }}
    {% endfor %}
{%- endmacro -%}

{#- Number of the rules that fired. -#}
{%- macro rules_fired(rule_ids) -%}
    {% for rule_id in rule_ids %}
        case when has_{{ rule_id }} then 1 else 0 end {{ "+" if not loop.last }}
    {% endfor %}
{%- endmacro -%}

{#- Whether any of the rules fired. -#}
{%- macro any_rule_fired(rule_ids) -%} (has_{{ rule_ids | join(" or has_") }}) {%- endmacro -%}

{#- The sentences of the rules that fired, in the given order, joined by a space; empty for none.
    {observed} stands for what was observed to one place, {count} for whole and {amount} for cents. -#}
{%- macro rule_reasons(rule_ids) -%}
    trim(
        {% for rule_id in rule_ids %}
            {%- set sentence = namespace(sql="rules." ~ rule_id ~ "_reason") -%}
            {%- for placeholder, places in {"observed": 1, "count": 0, "amount": 2}.items() -%}
                {%- set rounded = (
                    "cast(" ~ rule_id ~ "_observed as decimal(18, " ~ places ~ "))"
                ) -%}
                {%- set sentence.sql = (
                    "replace("
                    ~ sentence.sql
                    ~ ", '{"
                    ~ placeholder
                    ~ "}', cast("
                    ~ rounded
                    ~ " as varchar))"
                ) -%}
            {%- endfor -%}
            case when has_{{ rule_id }} then ' ' || {{ sentence.sql }} else '' end
            {{ "||" if not loop.last }}
        {% endfor %},
        ' '
    )
{%- endmacro -%}

{#- The number that `values` holds for a tier's name. -#}
{%- macro value_of_tier(tier, values) -%}
    case
        {{ tier }}
        {% for name, value in values.items() %} when '{{ name }}' then {{ value }} {% endfor %}
    end
{%- endmacro -%}
