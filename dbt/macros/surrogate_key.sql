{#- One text key for a composite one: the md5, in lower-case hexadecimal, of the columns' texts. Each text is
    preceded by its length and a null by none, so that neither ('a', 'bc') and ('ab', 'c') nor null and ''
    meet, whatever characters the texts hold. Columns are text or whole numbers: the text of a
    timestamp or decimal differs between engines. -#}
{%- macro surrogate_key(columns) -%}
    md5(
        {%- for column in columns %}
            {%- set text = "cast(" ~ column ~ " as varchar)" %}
            coalesce(cast(length({{ text }}) as varchar) || ':' || {{ text }}, 'null')
            {{- " || '|' ||" if not loop.last }}
        {%- endfor %}
    )
{%- endmacro -%}
