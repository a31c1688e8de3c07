{#- Windows of one key follow each other: none ends before it has begun, none begins before the former
    has ended, and only the last may be open. A gap is a time at which the record was gone. -#}
{% test validity_windows_do_not_overlap(model, key) %}
    select {{ key }}, dbt_valid_from, dbt_valid_to, next_valid_from
    from
        (
            select
                {{ key }},
                dbt_valid_from,
                dbt_valid_to,
                lead(dbt_valid_from) over (
                    partition by {{ key }} order by dbt_valid_from, dbt_valid_to nulls last
                ) as next_valid_from
            from {{ model }}
        ) as windows
    where
        dbt_valid_to <= dbt_valid_from
        or next_valid_from < dbt_valid_to
        or (dbt_valid_to is null and next_valid_from is not null)
{% endtest %}
