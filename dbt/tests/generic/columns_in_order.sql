{#- In each row every column is at most the next one; nulls pass. -#}
{% test columns_in_order(model, columns) %}
    select {{ columns | join(", ") }}
    from {{ model }}
    where
        false
        {% for column in columns[:-1] %} or {{ column }} > {{ columns[loop.index] }} {% endfor %}
{% endtest %}
