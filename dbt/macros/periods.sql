{#- Whether a day, week or month that starts on a date has ended by the as_of_date (inside). -#}
{%- macro is_complete_period(period_type, start_date) -%}
    {{ olist.add_periods("day", -1, olist.add_periods(period_type, 1, start_date)) }}
    <= {{ olist.as_of_date() }}
{%- endmacro -%}

{#- Relative growth of a measure from relation `before` to relation `now`, both with `is_complete`.
    Null when either period is missing or incomplete, or when there was nothing to grow from. -#}
{%- macro growth(now, before, measure) -%}
    case
        when {{ now }}.is_complete and {{ before }}.is_complete
        then
            {{
                olist.ratio(
                    now ~ "." ~ measure ~ " - " ~ before ~ "." ~ measure, before ~ "." ~ measure
                )
            }}
    end
{%- endmacro -%}

{#- Quotient as double; null where the denominator is zero or missing. -#}
{%- macro ratio(numerator, denominator) -%}
    cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0)
{%- endmacro -%}
