{#- The last local day of ordinary trade up to the as_of_date, as a scalar subquery: what comes after is the
    edge of an extract, in which nobody could come back. A day is one of trade when the seven days around it
    have at least the var `forecast_edge_order_share` of the orders of a median week. -#}
{%- macro observation_end() -%}
    (
        with
            daily_orders as (
                select purchase_date, count(*) as orders
                from {{ ref("stg_orders") }}
                where purchase_date <= {{ olist.as_of_date() }}
                group by purchase_date
            ),

            weekly_orders as (
                select days.purchase_date, sum(around.orders) as orders
                from daily_orders as days
                inner join
                    daily_orders as around
                    on around.purchase_date
                    between {{ olist.add_periods("day", -3, "days.purchase_date") }}
                    and {{ olist.add_periods("day", 3, "days.purchase_date") }}
                group by days.purchase_date
            ),

            typical_week as (select median(orders) as orders from weekly_orders)

        select max(weekly_orders.purchase_date)
        from weekly_orders
        cross join typical_week
        where weekly_orders.orders >= {{ var("forecast_edge_order_share") }} * typical_week.orders
    )
{%- endmacro -%}

{#- Date expressions of the reference dates that the churn model learns from, oldest first: those of the var
    `churn_training_dates`, or so many, so far apart, that the window of the last one ends with the
    observation. -#}
{%- macro churn_reference_dates() -%}
    {%- set dates = [] -%}
    {%- if var("churn_training_dates") is none -%}
        {%- for number in range(var("churn_cutoffs") - 1, -1, -1) -%}
            {%- set days = var("churn_window_days") + number * var("churn_cutoff_spacing_days") -%}
            {%- do dates.append(olist.add_periods("day", -1 * days, olist.observation_end())) -%}
        {%- endfor -%}
    {%- else -%}
        {%- for reference_date in var("churn_training_dates") -%}
            {%- do dates.append("cast('" ~ reference_date ~ "' as date)") -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(dates) }}
{%- endmacro -%}
