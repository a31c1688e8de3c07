{#- A base model has every record that its raw table holds, once: nothing a file said is lost between
    them. Together with the split into stg_ and stg_quarantine no record can vanish. -#}
{% test holds_every_raw_record(model, dataset, key) %}
    select raw_records, base_records
    from
        (
            select
                (
                    select count(distinct {{ olist.raw_record_key(key) }})
                    from {{ source("olist", dataset) }}
                ) as raw_records,
                (select count(*) from {{ model }}) as base_records
        ) as counted
    where raw_records <> base_records
{% endtest %}
