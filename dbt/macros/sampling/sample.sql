{#- A sample of people and of everything of theirs; products, sellers and places stay whole. It is
    decided by a hash, so the same people are in it on any day and engine, and a larger share holds
    every person of a smaller one. -#}
{#- Share of the people, above 0 to 1 (all): the var `sample_share`, else the environment's. Six places
    count, as many as the models keep. -#}
{%- macro sample_share_number() -%}
    {%- set given = var("sample_share") -%}
    {%- set given = env_var("OLIST_SAMPLE_SHARE") if given is none else given -%}
    {%- set share = given | float(-1) | round(6) -%}
    {%- if not 0 < share <= 1 -%}
        {{
            exceptions.raise_compiler_error(
                "var sample_share must be a number above 0 and at most 1, not '" ~ given ~ "'"
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

{#- Before anything runs: a warehouse that was built with another share holds the wrong people in its
    incremental models, so all of it has to be rebuilt. int_order_facts keeps its share in a column. -#}
{%- macro refuse_another_sample() -%}
    {%- set facts = ref("int_order_facts") -%}
    {%- if execute and flags.WHICH in ("build", "run") and not flags.FULL_REFRESH -%}
        {%- set built = load_relation(facts) -%}
        {%- if built is not none -%} {%- do olist.require_same_sample(built) -%} {%- endif -%}
    {%- endif -%}
{%- endmacro -%}

{#- Refuse to go on in a relation whose column `sample_share` has another share than this run. -#}
{%- macro require_same_sample(relation) -%}
    {%- set shares = (
        run_query("select distinct sample_share from " ~ relation).columns[0].values()
    ) -%}
    {%- set wanted = olist.sample_share_number() -%}
    {%- for share in shares if (share | float - wanted) | abs > 0.0000005 -%}
        {{
            exceptions.raise_compiler_error(
                relation.identifier
                ~ " holds a sample of "
                ~ share
                ~ " of the people, this run wants "
                ~ wanted
                ~ " (var sample_share): nothing was changed; run all of it again with --full-refresh"
            )
        }}
    {%- endfor -%}
{%- endmacro -%}
