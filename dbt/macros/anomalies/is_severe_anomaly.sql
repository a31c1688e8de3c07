{#- Whether the severity of an anomaly counts as severe (var severe_anomaly_severities). -#}
{%- macro is_severe_anomaly(severity) -%}
    {{ severity }} in ('{{ var("severe_anomaly_severities") | join("', '") }}')
{%- endmacro -%}
