{#- Whether a raw dataset holds rows that this model was not built from. The model keeps how many rows raw
    had and the youngest of them in `raw_row_count` and `raw_loaded_at`: raw is append-only, so a late file
    changes the first and a mended one the second. Both engines answer from their metadata. -#}
{%- macro raw_has_grown(dataset) -%}
    {%- if not (execute and is_incremental()) -%} {{ return(true) }} {%- endif -%}
    {%- set seen -%}
        select count(*)
        from {{ this }}
        where
            raw_row_count = (select count(*) from {{ source("olist", dataset) }})
            and raw_loaded_at = (select max(_loaded_at) from {{ source("olist", dataset) }})
    {%- endset -%}
    {{ return(run_query(seen).columns[0].values()[0] == 0) }}
{%- endmacro -%}
