{#- Values of each column lie within its bounds, both inside; null passes. `ranges` maps a column to
    {minimum, maximum}, one of which may be absent. -#}
{% test accepted_ranges(model, ranges) %}
    {% set breaks = {} %}
    {% for column, bounds in ranges.items() %}
        {% set conditions = [] %}
        {% if "minimum" in bounds %}
            {% do conditions.append(column ~ " < " ~ bounds["minimum"]) %}
        {% endif %}
        {% if "maximum" in bounds %}
            {% do conditions.append(column ~ " > " ~ bounds["maximum"]) %}
        {% endif %}
        {% do breaks.update({column: conditions | join(" or ")}) %}
    {% endfor %}
    {{ olist.rows_that_break(model, breaks) }}
{% endtest %}
