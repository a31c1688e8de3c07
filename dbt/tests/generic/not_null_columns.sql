{#- None of the columns is ever null. -#}
{% test not_null_columns(model, columns) %}
    {% set breaks = {} %}
    {% for column in columns %} {% do breaks.update({column: column ~ " is null"}) %} {% endfor %}
    {{ olist.rows_that_break(model, breaks) }}
{% endtest %}
