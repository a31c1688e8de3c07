{#- The moment (UTC) at which the extract day of a landing path begins in the source's time zone. What
    an extract says holds for its whole day, so its orders find it in force. -#}
{%- macro extract_moment(source_file) -%}
    {{ olist.standardize_timestamp("cast(" ~ olist.extract_date(source_file) ~ " as timestamp)") }}
{%- endmacro -%}
