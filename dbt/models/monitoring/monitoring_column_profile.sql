-- Grain: one row per relation, column_name of a measure worth watching.
{% set profiled = {
    "int_orders": [
        "gmv",
        "payment_value",
        "payment_gap",
        "delivery_days",
        "delay_days",
        "approval_hours",
        "review_score",
        "payment_installments",
        "items",
    ],
    "stg_order_items": ["price", "freight_value"],
    "stg_payments": ["payment_value"],
    "stg_products": ["weight_g", "volume_cm3"],
} %}

with
    {% for relation, columns in profiled.items() %}
        {{ relation }} as (
            select
                count(*) as row_count,
                {% for column in columns %}
                    count({{ column }}) as {{ column }}_values,
                    count(distinct {{ column }}) as {{ column }}_distinct,
                    min({{ column }}) as {{ column }}_minimum,
                    max({{ column }}) as {{ column }}_maximum,
                    sum({{ column }}) as {{ column }}_sum
                    {{- "," if not loop.last }}
                {% endfor %}
            from {{ ref(relation) }}
        ),
    {% endfor %}

    bounds as (select * from {{ ref("column_profile_bounds") }}),

    profiles as (
        {% for relation, columns in profiled.items() %}
            {% set last_relation = loop.last %}
            {% for column in columns %}
                select
                    '{{ relation }}' as relation,
                    '{{ column }}' as column_name,
                    row_count,
                    {{ column }}_values as value_count,
                    {{ column }}_distinct as distinct_values,
                    cast({{ column }}_minimum as double) as minimum,
                    cast({{ column }}_maximum as double) as maximum,
                    {{ ratio(column ~ "_sum", column ~ "_values") }} as mean,
                    {{ ratio("row_count - " ~ column ~ "_values", "row_count") }} as null_share
                from {{ relation }} {{ "union all" if not (last_relation and loop.last) }}
            {% endfor %}
        {% endfor %}
    ),

    joined as (
        select
            profiles.relation,
            profiles.column_name,
            cast(profiles.row_count as bigint) as row_count,
            cast(profiles.value_count as bigint) as value_count,
            cast(profiles.distinct_values as bigint) as distinct_values,
            round(profiles.null_share, 6) as null_share,
            round(profiles.minimum, 6) as minimum,
            round(profiles.mean, 6) as mean,
            round(profiles.maximum, 6) as maximum,
            bounds.max_null_share,
            bounds.min_mean,
            bounds.max_mean,
            bounds.min_value,
            bounds.max_value,
            profiles.row_count >= {{ var("distribution_min_orders") }} as is_judged
        from profiles
        left join
            bounds
            on profiles.relation = bounds.relation
            and profiles.column_name = bounds.column_name
    ),

    judged as (
        select
            *,
            nullif(
                rtrim(
                    case
                        when is_judged and null_share > max_null_share
                        then 'null_share, '
                        else ''
                    end || case
                        when is_judged and (mean < min_mean or mean > max_mean)
                        then 'mean, '
                        else ''
                    end
                    || case when minimum < min_value then 'minimum, ' else '' end
                    || case when maximum > max_value then 'maximum, ' else '' end,
                    ', '
                ),
                ''
            ) as out_of_bounds
        from joined
    )

select *
from judged
