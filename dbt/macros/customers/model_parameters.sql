{#- A select with one row: the parameters of a model as columns of their names. -#}
{%- macro model_parameters(model, parameters) -%}
    select
        {% for parameter in parameters %}
            max(case when parameter = '{{ parameter }}' then value end) as {{ parameter }}
            {{- "," if not loop.last }}
        {% endfor %}
    from {{ ref("int_model_parameters") }}
    where model = '{{ model }}'
{%- endmacro -%}
