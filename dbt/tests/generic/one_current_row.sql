{#- Every record of `living` has exactly one current version, and nothing else has any; where `living` is
    `sampled`, nothing else of the people in the sample. -#}
{% test one_current_row(model, key, living, sampled=false) %}
    select living.{{ key }} as living, versions.{{ key }} as version, versions.current_rows
    from {{ living }} as living
    full outer join
        (
            select {{ key }}, count(*) as current_rows
            from {{ model }}
            where dbt_valid_to is null and {{ olist.person_in_sample(key) if sampled else "true" }}
            group by {{ key }}
        ) as versions
        on living.{{ key }} = versions.{{ key }}
    where living.{{ key }} is null or versions.{{ key }} is null or versions.current_rows > 1
{% endtest %}
