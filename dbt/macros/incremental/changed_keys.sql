{#- What an incremental model at another grain than the order has to make again: the keys whose orders
    are not those it was made from. An order that changes has a younger built_at, an order that comes or
    goes changes their number, and one that was built before and comes because the as_of_date passes it
    is the latest of all; between them nothing is missed, whatever part of the project ran before.
    The model keeps the figures in `version_orders`, `version_built_at` and `version_purchase_date`.
    A key that has lost its last order is made again too, with version_orders 0: its former rows go.
    Args: orders: a relation with built_at and purchase_date. keys: its columns that are the model's
    unique_key together, none of them null. -#}
{%- macro changed_keys(orders, keys) -%}
    {%- set key_columns = keys | join(", ") -%}
    {%- set versions = (
        "select "
        ~ key_columns
        ~ ", count(*) as version_orders, max(built_at) as version_built_at"
        ~ ", max(purchase_date) as version_purchase_date from "
        ~ orders
        ~ " group by "
        ~ key_columns
    ) -%}
    {%- if not is_incremental() %} {{ versions }}
    {%- else %}
        select
            {% for key in keys %} coalesce(versions.{{ key }}, seen.{{ key }}) as {{ key }},
            {% endfor %}
            coalesce(versions.version_orders, 0) as version_orders,
            versions.version_built_at,
            versions.version_purchase_date
        from ({{ versions }}) as versions
        full outer join
            (
                select {{ key_columns }}, version_orders, version_built_at, version_purchase_date
                from {{ this }}
                group by {{ key_columns }}, version_orders, version_built_at, version_purchase_date
            ) as seen
            on {% for key in keys %}
                versions.{{ key }} = seen.{{ key }} {{ "and" if not loop.last }}
            {% endfor %}
        where
            coalesce(versions.version_orders, 0) <> coalesce(seen.version_orders, -1)
            or versions.version_built_at <> seen.version_built_at
            or versions.version_purchase_date <> seen.version_purchase_date
    {%- endif %}
{%- endmacro -%}
