-- Grain: one row per period_type (day, week, month) and period_start in which an order was placed.
-- Every distinct count is taken over its own period: a week's customers are not its days' sum.
{% set average_periods = var("kpi_average_periods") %}
{% set alerts = var("kpi_alerts") %}
{% set period_types = ["day", "week", "month"] %}
{% set previous_periods = {"day": ["day", 1], "week": ["week", 1], "month": ["month", 1]} %}
{% set periods_a_year_ago = {"day": ["year", 1], "week": ["week", 52], "month": ["year", 1]} %}

with
    orders as (
        select
            order_id,
            customer_unique_id,
            customer_state,
            customer_region,
            order_status,
            is_valid,
            purchase_date,
            is_delivered,
            is_on_time,
            delivery_days,
            review_score,
            items,
            gmv,
            freight_revenue
        from {{ ref("int_orders") }}
    ),

    states as (select state, population from {{ ref("brazilian_states") }}),

    repeat_orders as (select * from {{ ref("int_repeat_orders") }}),

    -- A person's first valid order has number 1; any later one makes the person a repeat customer.
    -- Only people with several orders have to be told apart: the others are as many as their
    -- orders.
    joined as (
        select
            orders.*,
            repeat_orders.customer_unique_id as several_orders_person,
            case
                when orders.is_valid and orders.customer_unique_id is not null
                then coalesce(repeat_orders.person_valid_order_number, 1)
            end as order_number
        from orders
        left join repeat_orders on orders.order_id = repeat_orders.order_id
    ),

    state_days as (
        select purchase_date, customer_state
        from orders
        where is_valid
        group by purchase_date, customer_state
    ),

    {% for period_type in period_types %}
        {{ period_type }}s as (
            select
                '{{ period_type }}' as period_type,
                {{ period_start(period_type, "purchase_date") }} as period_start,
                count(*) as orders_placed,
                count(case when order_status = 'canceled' then 1 end) as canceled_orders,
                count(case when is_valid then 1 end) as orders,
                count(case when order_number = 1 and several_orders_person is null then 1 end)
                + count(distinct case when is_valid then several_orders_person end) as customers,
                count(case when order_number = 1 then 1 end) as new_customers,
                count(
                    distinct case when order_number > 1 then several_orders_person end
                ) as repeat_customers,
                count(
                    distinct case
                        when is_valid and customer_region <> 'Unknown' then customer_state
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

        {{ period_type }}_states as (
            select distinct
                {{ period_start(period_type, "purchase_date") }} as period_start, customer_state
            from state_days
        ),

        {{ period_type }}_populations as (
            select {{ period_type }}_states.period_start, sum(states.population) as population
            from {{ period_type }}_states
            inner join states on {{ period_type }}_states.customer_state = states.state
            group by {{ period_type }}_states.period_start
        ),
    {% endfor %}

    periods as (
        {% for period_type in period_types %}
            select
                {{ period_type }}s.*,
                {{ period_type }}_populations.population as population_served,
                {{
                    add_periods(
                        "day", -1, add_periods(period_type, 1, period_type ~ "s.period_start")
                    )
                }} as period_end,
                {{
                    add_periods(
                        previous_periods[period_type][0],
                        -1 * previous_periods[period_type][1],
                        period_type ~ "s.period_start",
                    )
                }} as previous_period_start,
                {{
                    add_periods(
                        periods_a_year_ago[period_type][0],
                        -1 * periods_a_year_ago[period_type][1],
                        period_type ~ "s.period_start",
                    )
                }} as period_start_a_year_ago,
                {{
                    add_periods(
                        period_type,
                        1 - average_periods,
                        period_type ~ "s.period_start",
                    )
                }} as average_start,
                {{ is_complete_period(period_type, period_type ~ "s.period_start") }} as is_complete
            from {{ period_type }}s
            left join
                {{ period_type }}_populations
                on {{ period_type }}s.period_start = {{ period_type }}_populations.period_start
                {{ "union all" if not loop.last }}
        {% endfor %}
    ),

    first_periods as (
        select period_type, min(period_start) as first_period_start
        from periods
        group by period_type
    ),

    -- Calendar periods, not the latest rows: one without an order has no row and counts as zero.
    recent as (
        select
            periods.period_type,
            periods.period_start,
            sum(former.gmv) as gmv,
            sum(former.orders) as orders
        from periods
        inner join first_periods on periods.period_type = first_periods.period_type
        inner join
            periods as former
            on periods.period_type = former.period_type
            and former.period_start <= periods.period_start
            and former.period_start >= periods.average_start
        where periods.is_complete and periods.average_start >= first_periods.first_period_start
        group by periods.period_type, periods.period_start
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
            {{ ratio("periods.delivered_orders", "periods.orders") }} as delivered_share,
            {{ ratio("periods.on_time_orders", "periods.delivered_orders") }} as on_time_rate,
            {{ ratio("periods.delivery_days", "periods.timed_deliveries") }} as avg_delivery_days,
            cast(periods.reviewed_orders as integer) as reviewed_orders,
            {{ ratio("periods.review_scores", "periods.reviewed_orders") }} as avg_review_score,
            {{ growth("periods", "previous", "gmv") }} as gmv_growth,
            {{ growth("periods", "previous", "orders") }} as orders_growth,
            {{ growth("periods", "year_ago", "gmv") }} as gmv_yoy_growth,
            {{ as_of_date() }} as as_of_date,
            {{ growth("periods", "year_ago", "orders") }} as orders_yoy_growth,
            {{ ratio("periods.freight_revenue", "periods.gmv + periods.freight_revenue") }}
            as freight_share,
            {{ platform_revenue("periods.gmv", "periods.freight_revenue") }} as platform_revenue,
            cast(periods.repeat_customers as integer) as repeat_customers,
            {{ ratio("periods.repeat_customers", "periods.customers") }} as repeat_customer_rate,
            cast(coalesce(periods.population_served, 0) as integer) as population_served,
            {{ ratio("100000 * periods.orders", "periods.population_served") }}
            as orders_per_100k_inhabitants,
            cast(
                round({{ ratio("recent.gmv", average_periods) }}, 2) as decimal(18, 2)
            ) as gmv_moving_average,
            round({{ ratio("recent.orders", average_periods) }}, 6) as orders_moving_average
        from periods
        left join
            recent
            on periods.period_type = recent.period_type
            and periods.period_start = recent.period_start
        left join
            periods as previous
            on periods.period_type = previous.period_type
            and periods.previous_period_start = previous.period_start
        left join
            periods as year_ago
            on periods.period_type = year_ago.period_type
            and periods.period_start_a_year_ago = year_ago.period_start
    ),

    judged as (
        select
            measured.*,
            {{ tier("gmv_growth", var("growth_trends")) }} as gmv_trend,
            is_complete and orders_placed >= {{ var("kpi_alert_minimum_orders") }} as can_alert,
            -- Fast deliveries, and the reviews of them, are known first.
            delivered_share >= {{ var("kpi_settled_delivered_share") }} as is_settled,
            {{
                flag_reasons(
                    {
                        "period_type <> 'day' and gmv_growth < " ~ alerts.gmv_growth: "GMV fell",
                        "on_time_rate < " ~ alerts.on_time_rate: "late deliveries",
                        "avg_review_score < " ~ alerts.avg_review_score: "low reviews",
                        "cancellation_rate > " ~ alerts.cancellation_rate: "cancellations",
                    }
                )
            }} as reasons
        from measured
    ),

    alerted as (
        select
            period_type,
            period_start,
            period_end,
            is_complete,
            orders_placed,
            orders,
            canceled_orders,
            cancellation_rate,
            customers,
            new_customers,
            repeat_customers,
            repeat_customer_rate,
            states_served,
            population_served,
            orders_per_100k_inhabitants,
            items,
            orders_with_items,
            gmv,
            freight_revenue,
            gross_order_value,
            freight_share,
            platform_revenue,
            aov,
            delivered_orders,
            delivered_share,
            on_time_orders,
            on_time_rate,
            case when is_settled then on_time_rate end as settled_on_time_rate,
            avg_delivery_days,
            reviewed_orders,
            avg_review_score,
            case when is_settled then avg_review_score end as settled_review_score,
            gmv_growth,
            orders_growth,
            gmv_yoy_growth,
            orders_yoy_growth,
            gmv_moving_average,
            orders_moving_average,
            gmv_trend,
            case when can_alert then reasons is not null end as is_alert,
            case when can_alert then reasons end as alert_reasons,
            as_of_date
        from judged
    )

select *
from alerted
