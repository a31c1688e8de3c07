{#- Every value has its parent, unless the parent itself was quarantined: its fault is counted there,
    and one bad row must not stop the warehouse. Null passes. `base` is the parent's base model; asking
    stg_quarantine instead would make this test no ancestor of what it must stop. -#}
{% test relationships_or_quarantined(model, column_name, to, field, base) %}
    select child.{{ column_name }}
    from {{ model }} as child
    left join {{ to }} as parent on child.{{ column_name }} = parent.{{ field }}
    left join
        (select record_key from {{ base }} where quarantine_reason is not null) as quarantine
        on child.{{ column_name }} = quarantine.record_key
    where
        child.{{ column_name }} is not null
        and parent.{{ field }} is null
        and quarantine.record_key is null
{% endtest %}
