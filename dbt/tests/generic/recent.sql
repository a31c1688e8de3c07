{#- The feed behind a date goes on: its latest value is at most so many days before the as_of_date (var
    recency_maximum_days, unless told). A feed that never came is no matter of this test, but of
    not_empty and not_null. -#}
{% test recent(model, column_name, days=none) %}
    {%- set maximum = days if days is not none else var("recency_maximum_days") %}
    select latest
    from (select max({{ column_name }}) as latest from {{ model }}) as newest
    where latest < {{ olist.add_periods("day", -1 * maximum, olist.as_of_date()) }}
{% endtest %}
