{#- A select with one row per person with a valid order on or before a reference date: what was known
    of the person at the end of that day, as the features of the churn model. The same definition
    scores (int_churn_features, at the as_of_date) and trains (at past dates), so that no feature can
    mean two things. Nothing later leaks in: purchases, deliveries and answers to surveys after the reference date
    do not exist yet, and an order counts as late as soon as its promised date has passed without it.
    One thing the source cannot tell: when an order was canceled; a canceled order is out from the start.

    Who buys at a rate that varies between people as a gamma distribution of small shape comes back within
    a window with a chance proportional to ln(1 + window / (1 + days since the last purchase)): recency
    enters as the logarithm of that. As the logarithm of the days it promised too many of those who had
    been away longer than anybody whom the model had learnt from.

    Args: reference_date: a date expression. It is not after the as_of_date: int_orders ends there. -#}
{%- macro churn_features(reference_date) -%}
    with
        reference as (select cast({{ reference_date }} as date) as reference_date),

        orders as (
            select int_orders.*, reference.reference_date
            from {{ ref("int_orders") }} as int_orders
            cross join reference
            where
                int_orders.is_valid and int_orders.customer_unique_id is not null
                {%- if reference_date == olist.as_of_date() %}
                    and {{ olist.is_placed_by_as_of_date("int_orders.purchase_date") }}
                {%- else %} and int_orders.purchase_date <= reference.reference_date
                {%- endif %}
        ),

        known_reviews as (
            select stg_reviews.*
            from {{ ref("stg_reviews") }} as stg_reviews
            cross join reference
            where stg_reviews.known_date <= reference.reference_date
        ),

        -- Only orders with a low review have to be told from those whose latest one is.
        reviews as (
            select order_id, review_score
            from known_reviews
            where
                order_id in (
                    select order_id
                    from known_reviews
                    where review_score <= {{ var("low_review_score") }}
                )
            qualify
                row_number() over (
                    partition by order_id
                    order by created_at desc, answered_at desc nulls last, review_id desc
                )
                = 1
        ),

        people as (
            select
                orders.customer_unique_id,
                count(*) as orders,
                min(orders.purchase_date) as first_order_date,
                max(orders.purchase_date) as last_order_date,
                sum(orders.gmv + orders.freight_revenue) as gross_order_value,
                count(
                    case
                        when orders.is_delivered and orders.delivered_date <= orders.reference_date
                        then case when not orders.is_on_time then 1 end
                        when orders.estimated_delivery_date < orders.reference_date
                        then 1
                    end
                ) as late_orders,
                count(case when orders.payment_installments > 1 then 1 end) as installment_orders,
                count(
                    case when reviews.review_score <= {{ var("low_review_score") }} then 1 end
                ) as low_review_orders
            from orders
            left join reviews on orders.order_id = reviews.order_id
            group by orders.customer_unique_id
        )

    select
        people.customer_unique_id,
        reference.reference_date,
        ln(
            ln(
                1
                + cast({{ var("churn_window_days") }} as double)
                / (1 + {{ dbt.datediff("last_order_date", "reference_date", "day") }})
            )
        ) as log_return_exposure,
        ln(
            1 + cast({{ dbt.datediff("first_order_date", "last_order_date", "day") }} as double)
        ) as log_active_days,
        ln(cast(orders as double)) as log_orders,
        ln(1 + {{ olist.ratio("gross_order_value", "orders") }}) as log_average_order_value,
        {{ olist.ratio("late_orders", "orders") }} as late_order_share,
        {{ olist.ratio("installment_orders", "orders") }} as installment_order_share,
        {{ olist.ratio("low_review_orders", "orders") }} as low_review_order_share
    from people
    cross join reference
{%- endmacro -%}

{#- The columns of churn_features that the model weighs; each is a parameter of the model `churn`. -#}
{%- macro churn_feature_names() -%}
    {{
        return(
            [
                "log_return_exposure",
                "log_active_days",
                "log_orders",
                "log_average_order_value",
                "late_order_share",
                "installment_order_share",
                "low_review_order_share",
            ]
        )
    }}
{%- endmacro -%}

{#- Log-odds of churn from a relation with the parameters in one row and one with the features. -#}
{%- macro churn_log_odds(parameters, features) -%}
    {{ parameters }}.intercept
    {%- for feature in olist.churn_feature_names() %}
        + {{ parameters }}.{{ feature }} * {{ features }}.{{ feature }}
    {%- endfor -%}
{%- endmacro -%}
