{#- Five characters with the leading zeros that spreadsheets drop. A longer text is left as it is, for a
    test to find: padding alone would cut it to five. -#}
{%- macro zip_code_prefix(column) -%}
    case
        when length(trim({{ column }})) < 5
        then lpad(trim({{ column }}), 5, '0')
        else trim({{ column }})
    end
{%- endmacro -%}

{#- Condition: the text is five digits. -#}
{%- macro is_zip_code_prefix(column) -%}
    length({{ column }}) = 5 and translate({{ column }}, '0123456789', '') = ''
{%- endmacro -%}
