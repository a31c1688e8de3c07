{#- In each row the columns are all null or none of them is: they stand and fall together. -#}
{% test all_or_none_null(model, columns) %}
    select {{ columns | join(", ") }}
    from {{ model }}
    where
        not (
            ({{ columns | join(" is null and ") }} is null)
            or ({{ columns | join(" is not null and ") }} is not null)
        )
{% endtest %}
