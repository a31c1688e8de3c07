-- Grain: one row per period_type (day, week, month) and period_start in which an order was placed.
-- Every distinct count is taken over its own period: a week's customers are not its days' sum.
{% set period_types = ["day", "week", "month"] %}
{% set previous_periods = {"day": ["day", 1], "week": ["week", 1], "month": ["month", 1]} %}
{% set periods_a_year_ago = {"day": ["year", 1], "week": ["week", 52], "month": ["year", 1]} %}

with
    orders as (select * from {{ ref("int_orders") }}),

    first_orders as (
        select customer_unique_id, min(purchase_date) as first_order_date
        from orders
        where is_valid and customer_unique_id is not null
        group by customer_unique_id
    ),

    joined as (
        select orders.*, first_orders.first_order_date
        from orders
        left join first_orders on orders.customer_unique_id = first_orders.customer_unique_id
    ),

    {% for period_type in period_types %}
        {{ period_type }}s as (
            select
                '{{ period_type }}' as period_type,
                {{ period_start(period_type, "purchase_date") }} as period_start,
                count(*) as orders_placed,
                count(case when order_status = 'canceled' then 1 end) as canceled_orders,
                count(case when is_valid then 1 end) as orders,
                count(distinct case when is_valid then customer_unique_id end) as customers,
                count(
                    distinct case
                        when
                            is_valid
                            and {{ period_start(period_type, "first_order_date") }}
                            = {{ period_start(period_type, "purchase_date") }}
                        then customer_unique_id
                    end
                ) as new_customers,
                count(
                    distinct case
                        when is_valid and customer_state <> 'Unknown' then customer_state
                    end
                ) as states_served,
                count(case when is_valid and items > 0 then 1 end) as orders_with_items,
                sum(case when is_valid then items else 0 end) as items,
                sum(gmv) as gmv,
                sum(freight_revenue) as freight_revenue,
                count(case when is_delivered then 1 end) as delivered_orders,
                count(case when is_delivered and is_on_time then 1 end) as on_time_orders,
                sum(case when is_delivered then delivery_days end) as delivery_days,
                count(case when is_delivered then delivery_days end) as timed_deliveries,
                count(case when is_valid then review_score end) as reviewed_orders,
                sum(case when is_valid then review_score end) as review_scores
            from joined
            group by {{ period_start(period_type, "purchase_date") }}
        ),
    {% endfor %}

    periods as (
        {% for period_type in period_types %}
            select
                {{ period_type }}s.*,
                {{ add_periods("day", -1, add_periods(period_type, 1, "period_start")) }}
                as period_end,
                {{
                    add_periods(
                        previous_periods[period_type][0],
                        -1 * previous_periods[period_type][1],
                        "period_start",
                    )
                }} as previous_period_start,
                {{
                    add_periods(
                        periods_a_year_ago[period_type][0],
                        -1 * periods_a_year_ago[period_type][1],
                        "period_start",
                    )
                }} as period_start_a_year_ago,
                {{ is_complete_period(period_type, "period_start") }} as is_complete
            from {{ period_type }}s {{ "union all" if not loop.last }}
        {% endfor %}
    ),

    measured as (
        select
            periods.period_type,
            periods.period_start,
            periods.period_end,
            periods.is_complete,
            cast(periods.orders_placed as integer) as orders_placed,
            cast(periods.orders as integer) as orders,
            cast(periods.canceled_orders as integer) as canceled_orders,
            {{ ratio("periods.canceled_orders", "periods.orders_placed") }} as cancellation_rate,
            cast(periods.customers as integer) as customers,
            cast(periods.new_customers as integer) as new_customers,
            cast(periods.states_served as integer) as states_served,
            cast(periods.items as integer) as items,
            cast(periods.orders_with_items as integer) as orders_with_items,
            cast(periods.gmv as decimal(18, 2)) as gmv,
            cast(periods.freight_revenue as decimal(18, 2)) as freight_revenue,
            cast(periods.gmv + periods.freight_revenue as decimal(18, 2)) as gross_order_value,
            {{ ratio("periods.gmv", "periods.orders_with_items") }} as aov,
            cast(periods.delivered_orders as integer) as delivered_orders,
            cast(periods.on_time_orders as integer) as on_time_orders,
            {{ ratio("periods.on_time_orders", "periods.delivered_orders") }} as on_time_rate,
            {{ ratio("periods.delivery_days", "periods.timed_deliveries") }} as avg_delivery_days,
            cast(periods.reviewed_orders as integer) as reviewed_orders,
            {{ ratio("periods.review_scores", "periods.reviewed_orders") }} as avg_review_score,
            {{ growth("periods", "previous", "gmv") }} as gmv_growth,
            {{ growth("periods", "previous", "orders") }} as orders_growth,
            {{ growth("periods", "year_ago", "gmv") }} as gmv_yoy_growth,
            {{ as_of_date() }} as as_of_date
        from periods
        left join
            periods as previous
            on periods.period_type = previous.period_type
            and periods.previous_period_start = previous.period_start
        left join
            periods as year_ago
            on periods.period_type = year_ago.period_type
            and periods.period_start_a_year_ago = year_ago.period_start
    )

select *
from measured
