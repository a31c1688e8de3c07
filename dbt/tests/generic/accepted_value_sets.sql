{#- Values of each column are of its closed set; null passes. `values` maps a column to its set. -#}
{% test accepted_value_sets(model, values) %}
    {% set breaks = {} %}
    {% for column, accepted in values.items() %}
        {% set literals = [] %}
        {% for value in accepted %}
            {% do literals.append("'" ~ value ~ "'" if value is string else value) %}
        {% endfor %}
        {% do breaks.update({column: column ~ " not in (" ~ literals | join(", ") ~ ")"}) %}
    {% endfor %}
    {{ olist.rows_that_break(model, breaks) }}
{% endtest %}
