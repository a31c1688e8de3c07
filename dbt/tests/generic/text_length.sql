{#- Every text has exactly that many characters; null passes. -#}
{% test text_length(model, column_name, length) %}
    select {{ column_name }} from {{ model }} where length({{ column_name }}) <> {{ length }}
{% endtest %}
