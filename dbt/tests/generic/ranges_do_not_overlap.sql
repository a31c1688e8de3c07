{#- Ranges with both ends inside: none ends before it starts, and no two share a value. -#}
{% test ranges_do_not_overlap(model, first, last) %}
    select {{ first }}, {{ last }}
    from
        (
            select
                {{ first }}, {{ last }}, lead({{ first }}) over (order by {{ first }}) as next_first
            from {{ model }}
        ) as ordered
    where {{ last }} < {{ first }} or next_first <= {{ last }}
{% endtest %}
