{#- Lower case, without accents, single-spaced, without a state behind the name
    ('São  Paulo - SP' and 'sao paulo/sp' are both 'sao paulo'). -#}
{%- macro standardize_city(city) -%}
    nullif(
        trim(
            regexp_replace(
                regexp_replace(
                    translate(
                        lower({{ city }}), 'áàâãäéèêëíìîïóòôõöúùûüçñ', 'aaaaaeeeeiiiiooooouuuucn'
                    ),
                    '[[:space:]]*[-/,(][[:space:]]*[a-z]{2}[)]?[[:space:]]*$',
                    ''
                ),
                '[[:space:]]+',
                ' '
                {{ olist.replace_all_flag() }}
            ),
            {{ olist.spaces() }}
        ),
        ''
    )
{%- endmacro -%}

{#- Snowflake's regexp_replace replaces every match; DuckDB's only the first unless told. -#}
{%- macro replace_all_flag() -%}
    {{ return(adapter.dispatch("replace_all_flag", "olist")()) }}
{%- endmacro -%}

{%- macro default__replace_all_flag() -%}, 'g' {%- endmacro -%}

{%- macro snowflake__replace_all_flag() -%} {%- endmacro -%}

{#- A text without the spaces around it. -#}
{%- macro trimmed(text) -%} trim({{ text }}, {{ olist.spaces() }}) {%- endmacro -%}

{#- The characters that are trimmed: a blank, the no-break space of spreadsheets, tab, line feed and
    carriage return. They are always said: without them DuckDB trims every space of Unicode but no line
    break, and Snowflake blanks alone. -#}
{%- macro spaces() -%} ' ' || chr(160) || chr(9) || chr(10) || chr(13) {%- endmacro -%}

{#- Condition: the text has a letter, whatever its accents (a letter has two cases). -#}
{%- macro has_letters(text) -%} lower({{ text }}) <> upper({{ text }}) {%- endmacro -%}


{#- Number of a key of a flat JSON object of numbers, as double; null where the key is missing. -#}
{%- macro json_number(text, key) -%}
    try_cast(
        trim(
            replace(split_part(split_part({{ text }}, '"{{ key }}": ', 2), ',', 1), '}', ''),
            {{ olist.spaces() }}
        ) as double
    )
{%- endmacro -%}
