{#- What an incremental model at another grain than the order has to make again: the keys whose orders
    are not those it was made from. An order that changes has a younger built_at, an order that comes or
    goes changes their number; between them nothing is missed, whatever part of the project ran before.
    The model keeps both figures in `version_orders` and `version_built_at`.
    A key that has lost its last order is made again too, with version_orders 0: its former rows go. -#}
{%- macro changed_keys(orders, key) -%}
    {%- set versions = (
        "select "
        ~ key
        ~ ", count(*) as version_orders, max(built_at) as version_built_at from "
        ~ orders
        ~ " where "
        ~ key
        ~ " is not null group by "
        ~ key
    ) -%}
    {%- if not is_incremental() %} {{ versions }}
    {%- else %}
        select
            coalesce(versions.{{ key }}, seen.{{ key }}) as {{ key }},
            coalesce(versions.version_orders, 0) as version_orders,
            versions.version_built_at
        from ({{ versions }}) as versions
        full outer join
            (
                select {{ key }}, version_orders, version_built_at
                from {{ this }}
                group by {{ key }}, version_orders, version_built_at
            ) as seen
            on versions.{{ key }} = seen.{{ key }}
        where
            coalesce(versions.version_orders, 0) <> coalesce(seen.version_orders, -1)
            or versions.version_built_at <> seen.version_built_at
    {%- endif %}
{%- endmacro -%}
