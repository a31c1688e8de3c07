{#- A sample of people and of everything of theirs; products, sellers and places stay whole. It is
    decided by a hash, so the same people are in it on any day and engine, and a larger share holds
    every person of a smaller one. -#}
{#- Share of the people, 0 (nobody) to 1 (all): the var `sample_share`, else the environment's. -#}
{%- macro sample_share_number() -%}
    {%- set share = var("sample_share") -%}
    {%- set share = env_var("OLIST_SAMPLE_SHARE") if share is none else share -%}
    {%- set share = share | float(-1) -%}
    {%- if not 0 < share <= 1 -%}
        {{
            exceptions.raise_compiler_error(
                "sample_share must be above 0 and at most 1, not '" ~ var("sample_share") ~ "'"
            )
        }}
    {%- endif -%}
    {{ return(share) }}
{%- endmacro -%}

{%- macro sample_share() -%}
    cast({{ "%.6f" | format(olist.sample_share_number()) }} as decimal(7, 6))
{%- endmacro -%}

{#- Condition: the person is in the sample. Hexadecimal digits sort as their numbers do. -#}
{%- macro person_in_sample(customer_unique_id) -%}
    {%- set share = olist.sample_share_number() -%}
    {%- if share == 1 -%} true
    {%- else -%}
        substr(md5({{ customer_unique_id }}), 1, 8)
        < '{{ "%08x" | format((share * 16 ** 8) | int) }}'
    {%- endif -%}
{%- endmacro -%}

{#- Condition: the key is one of the sampled rows of a staging model, given by its name. Only a sample
    makes that model a parent. -#}
{%- macro in_sampled(column, staging_model) -%}
    {%- if olist.sample_share_number() == 1 -%} true
    {%- else -%} {{ column }} in (select {{ column }} from {{ ref(staging_model) }})
    {%- endif -%}
{%- endmacro -%}

{#- An incremental model that was built with another share holds the wrong people: it has to be built
    anew. The model keeps its share in the column `sample_share`. -#}
{%- macro require_same_sample() -%}
    {%- if execute and is_incremental() -%}
        {%- set built = (
            run_query("select distinct sample_share from " ~ this).columns[0].values()
        ) -%}
        {%- for share in built if (share | float - olist.sample_share_number()) | abs > 0.0000005 -%}
            {{
                exceptions.raise_compiler_error(
                    this
                    ~ " holds a sample of "
                    ~ share
                    ~ ", this run wants "
                    ~ olist.sample_share_number()
                    ~ ": run again with --full-refresh"
                )
            }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
