{#- No row meets a condition that names a finding. -#}
{% test no_row_matches(model, condition) %}
    select * from {{ model }} where {{ condition }}
{% endtest %}
