{#- Every value has its parent, unless the parent itself was quarantined: its fault is counted there,
    and one bad row must not stop the warehouse. Null passes. -#}
{% test relationships_or_quarantined(model, column_name, to, field, dataset) %}
    select child.{{ column_name }}
    from {{ model }} as child
    left join {{ to }} as parent on child.{{ column_name }} = parent.{{ field }}
    left join
        (
            select record_key from {{ ref("stg_quarantine") }} where dataset = '{{ dataset }}'
        ) as quarantine
        on child.{{ column_name }} = quarantine.record_key
    where
        child.{{ column_name }} is not null
        and parent.{{ field }} is null
        and quarantine.record_key is null
{% endtest %}
