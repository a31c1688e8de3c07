{#- A text says something; null passes. -#}
{% test not_blank(model, column_name) %}
    select {{ column_name }} from {{ model }} where {{ olist.trimmed(column_name) }} = ''
{% endtest %}
