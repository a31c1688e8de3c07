{#- The relation has exactly that many rows. -#}
{% test row_count_is(model, rows) %}
    select row_count
    from (select count(*) as row_count from {{ model }}) as counted
    where row_count <> {{ rows }}
{% endtest %}
