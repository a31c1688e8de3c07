{#- A base model loses no more than the environment's share of its records to quarantine. -#}
{% test quarantined_share_is_bounded(model) %}
    select records, quarantined
    from
        (
            select count(*) as records, count(quarantine_reason) as quarantined from {{ model }}
        ) as counted
    where quarantined > records * {{ env_var("OLIST_QUARANTINE_MAX_SHARE") | float }}
{% endtest %}
