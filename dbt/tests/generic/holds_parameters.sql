{#- Every parameter that scoring reads is there: a missing one would make every score null. `parameters`
    maps each model to the names of its parameters. -#}
{% test holds_parameters(model, parameters) %}
    select expected.model, expected.parameter
    from
        (
            {% for name, names in parameters.items() %}
                {% set last_model = loop.last %}
                {% for parameter in names %}
                    select
                        '{{ name }}' as model,
                        '{{ parameter }}' as parameter
                        {{ "union all" if not (last_model and loop.last) }}
                {% endfor %}
            {% endfor %}
        ) as expected
    left join
        {{ model }} as found
        on expected.model = found.model
        and expected.parameter = found.parameter
    where found.value is null
{% endtest %}
