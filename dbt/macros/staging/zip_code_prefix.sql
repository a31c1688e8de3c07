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
