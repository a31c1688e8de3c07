-- Grain: one row per reference_date, customer_unique_id: what the churn model is fitted on. The
-- features that score, at each of the dates of churn_reference_dates(), and what happened in the
-- window after it. A date whose window has not ended by the as_of_date has no rows: nobody knows
-- yet. `olist models fit` runs it.
{% set window_days = var("churn_window_days") %}

with
    reference as (select {{ as_of_date() }} as as_of_date),

    features as (
        {% for reference_date in churn_reference_dates() %}
            select *
            from
                ({{ churn_features(reference_date) }}) as features
                {{ "union all" if not loop.last }}
        {% endfor %}
    ),

    purchases as (
        select customer_unique_id, purchase_date
        from {{ ref("int_orders") }}
        where is_valid and customer_unique_id is not null
    ),

    returned as (
        select distinct features.reference_date, features.customer_unique_id
        from features
        inner join
            purchases
            on features.customer_unique_id = purchases.customer_unique_id
            and purchases.purchase_date > features.reference_date
            and purchases.purchase_date
            <= {{ add_periods("day", window_days, "features.reference_date") }}
    ),

    joined as (
        select features.*, returned.customer_unique_id is null as churned
        from features
        inner join
            reference
            on {{ add_periods("day", window_days, "features.reference_date") }}
            <= reference.as_of_date
        left join
            returned
            on features.customer_unique_id = returned.customer_unique_id
            and features.reference_date = returned.reference_date
    )

select *
from joined
