{#- Five characters with the leading zeros that spreadsheets drop. A longer text is left as it is, for a
    test to find: padding alone would cut it to five. -#}
{%- macro zip_code_prefix(column) -%}
    {%- set trimmed = olist.trimmed(column) -%}
    case when length({{ trimmed }}) < 5 then lpad({{ trimmed }}, 5, '0') else {{ trimmed }} end
{%- endmacro -%}

{#- Condition: the text is five digits. -#}
{%- macro is_zip_code_prefix(column) -%}
    length({{ column }}) = 5 and translate({{ column }}, '0123456789', '') = ''
{%- endmacro -%}

{#- What every place must pass, as checks of data_quality_score, of a row with zip_code_prefix,
    is_zip_code_in_state and is_state_valid. -#}
{%- macro place_checks() -%}
    {%- do return(
        [
            {
                "name": "zip_code_has_five_digits",
                "passed": olist.is_zip_code_prefix("zip_code_prefix"),
            },
            {"name": "zip_code_lies_in_state", "passed": "is_zip_code_in_state"},
            {"name": "state_is_brazilian", "passed": "is_state_valid"},
        ]
    ) -%}
{%- endmacro -%}
