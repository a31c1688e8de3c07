{#- Rows of a relation in which a column breaks its rule: the names of those columns (broken_columns),
    then the columns that have a rule. `breaks` maps each of them to the condition of a broken value;
    null is no break. What a test of many columns of one model is made of
    (platform/docs/decisions/tests-of-many-columns.md). -#}
{% macro rows_that_break(relation, breaks) %}
    select
        trim(
            {% for column, condition in breaks.items() %}
                case when {{ condition }} then '{{ column }} ' else '' end
                {{ "||" if not loop.last }}
            {% endfor %},
            ' '
        ) as broken_columns,
        {{ breaks | join(", ") }}
    from {{ relation }}
    where
        {% for condition in breaks.values() %}
            ({{ condition }}) {{ "or" if not loop.last }}
        {% endfor %}
{% endmacro %}
