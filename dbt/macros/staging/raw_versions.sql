{#- The newest version of each record of a raw dataset, as text, with its `record_key`.

    Newest is: the later extract (the dt= of the landing path), then the later load, then the later
    file name and row, so that the answer does not depend on the order in which files arrived.
    An incremental run reads the records that have a row loaded since the last run, and of those
    every version. A record without a complete key cannot have versions: each is a record of its own. -#}
{%- macro latest_raw_versions(dataset, key) -%}
    {%- set record_key = olist.raw_record_key(key) -%}
    select *, {{ record_key }} as record_key
    from {{ source("olist", dataset) }}
    {%- if is_incremental() %}
        where
            {{ record_key }} in (
                select {{ record_key }}
                from {{ source("olist", dataset) }}
                where _loaded_at > {{ olist.incremental_watermark("_loaded_at") }}
            )
    {%- endif %}
    qualify
        row_number() over (
            partition by {{ record_key }}
            order by
                {{ olist.extract_date("_source_file") }} desc,
                _loaded_at desc,
                _source_file desc,
                _source_row desc
        )
        = 1
{%- endmacro -%}

{#- The rows of a dataset without a key: those of its newest extract, a whole snapshot. -#}
{%- macro newest_raw_extract(dataset) -%}
    select *
    from {{ source("olist", dataset) }}
    where
        {{ olist.extract_date("_source_file") }}
        = (select max({{ olist.extract_date("_source_file") }}) from {{ source("olist", dataset) }})
{%- endmacro -%}

{%- macro raw_record_key(key) -%}
    case
        when {% for column in key %} {{ column }} is null{{ " or " if not loop.last }}{% endfor %}
        then 'no key: ' || _source_file || ' row ' || _source_row
        else {% for column in key %} {{ column }}{{ " || '|' || " if not loop.last }}{% endfor %}
    end
{%- endmacro -%}

{#- Day of the nightly extract (text, YYYY-MM-DD) that a landing path tells. -#}
{%- macro extract_date(source_file) -%}
    split_part(split_part({{ source_file }}, 'dt=', 2), '/', 1)
{%- endmacro -%}
