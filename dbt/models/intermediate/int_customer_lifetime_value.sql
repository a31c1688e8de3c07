-- Grain: one row per customer_unique_id, a person with a valid order up to the as_of_date. Expected
-- contribution margin of the next 365 days = expected orders (BG/NBD) x expected order value
-- (Gamma-Gamma, shrunk to everybody's) x contribution_margin_rate, and its 95 % predictive
-- interval.
-- What depends on dates alone is computed once per distinct history.
{% set tail = 0.025 %}
{% set value_tier = var("value_tier_minimums") %}
{% set growth = var("growth_potential_lifts") %}
{% set confidence = var("confidence_minimum_orders") %}

with
    people as (select * from {{ ref("int_customer_360") }} where orders > 0),

    outlook as (select * from {{ ref("int_purchase_outlook") }}),

    spend_quantiles as (select * from {{ ref("int_spend_quantiles") }}),

    purchase_parameters as ({{ model_parameters("purchases", ["r", "alpha", "a", "b"]) }}),

    spend_parameters as ({{ model_parameters("spend", ["p", "q", "gamma"]) }}),

    histories as (
        select distinct orders - 1 as repeat_orders, active_days, tenure_days as observed_days
        from people
    ),

    -- BG/NBD lets nobody stop before a second order: a one-time buyer is alive, only slow.
    alive as (
        select
            histories.repeat_orders,
            histories.active_days,
            histories.observed_days,
            case
                when histories.repeat_orders = 0
                then 1
                else
                    1 / (
                        1
                        + a
                        / (b + histories.repeat_orders - 1)
                        * power(
                            (alpha + histories.observed_days) / (alpha + histories.active_days),
                            r + histories.repeat_orders
                        )
                    )
            end as p_alive
        from histories
        cross join purchase_parameters
    ),

    ahead as (
        select
            alive.repeat_orders,
            alive.active_days,
            alive.observed_days,
            alive.p_alive,
            outlook.orders_ahead,
            alive.p_alive * outlook.probability_of_at_least as probability_of_at_least,
            alive.p_alive * outlook.expected_orders_if_alive as expected_orders
        from alive
        inner join
            outlook
            on alive.repeat_orders = outlook.repeat_orders
            and alive.observed_days = outlook.observed_days
    ),

    -- upper_orders is the 97.5 % quantile of the number of orders, lower_orders the 2.5 % one.
    order_quantiles as (
        select
            repeat_orders,
            active_days,
            observed_days,
            p_alive,
            expected_orders,
            count(case when probability_of_at_least > {{ tail }} then 1 end) as upper_orders,
            count(case when probability_of_at_least >= 1 - {{ tail }} then 1 end) as lower_orders,
            max(probability_of_at_least) as probability_of_any,
            max(
                case
                    when probability_of_at_least <= {{ tail }} then probability_of_at_least else 0
                end
            ) as probability_of_more_than_upper,
            min(
                case when probability_of_at_least >= 1 - {{ tail }} then probability_of_at_least end
            ) as probability_of_at_least_lower
        from ahead
        group by repeat_orders, active_days, observed_days, p_alive, expected_orders
    ),

    -- The share of the tail that the number of orders leaves to their value. At the upper end it is
    -- taken as if everybody who buys at all bought upper_orders, and whoever buys more were beyond
    -- any bound: too wide rather than too narrow, up to about twice. Levels are rounded to the
    -- outside.
    levels as (
        select
            order_quantiles.*,
            case
                when upper_orders > 0
                then
                    least(
                        999,
                        ceil(
                            1000 * (
                                1
                                - ({{ tail }} - probability_of_more_than_upper)
                                / (probability_of_any - probability_of_more_than_upper)
                            )
                        )
                    )
            end as upper_permille,
            case
                when lower_orders > 0
                then floor(1000 * ({{ tail }} - 1 + probability_of_at_least_lower))
            end as lower_permille
        from order_quantiles
    ),

    valued as (
        select
            people.customer_unique_id,
            people.orders,
            people.orders_with_items,
            people.tenure_days as observed_days,
            people.contribution_margin as historical_value,
            levels.p_alive,
            levels.expected_orders,
            levels.upper_orders,
            levels.upper_permille,
            levels.lower_orders,
            levels.lower_permille,
            p
            * (gamma + cast(people.gross_order_value as double))
            / (q + p * people.orders_with_items - 1) as expected_order_value
        from people
        inner join
            levels
            on people.orders - 1 = levels.repeat_orders
            and people.active_days = levels.active_days
            and people.tenure_days = levels.observed_days
        cross join spend_parameters
    ),

    predicted as (
        select
            valued.customer_unique_id,
            valued.orders,
            valued.observed_days,
            valued.historical_value,
            valued.p_alive,
            valued.expected_orders,
            valued.expected_order_value,
            cast(
                valued.expected_orders
                * valued.expected_order_value
                * {{ var("contribution_margin_rate") }} as decimal(18, 6)
            ) as clv,
            cast(
                coalesce(
                    valued.lower_orders
                    * valued.expected_order_value
                    * {{ var("contribution_margin_rate") }}
                    * lower_quantiles.multiple_of_expectation,
                    0
                ) as decimal(18, 6)
            ) as lower_quantile,
            cast(
                coalesce(
                    valued.upper_orders
                    * valued.expected_order_value
                    * {{ var("contribution_margin_rate") }}
                    * upper_quantiles.multiple_of_expectation,
                    0
                ) as decimal(18, 6)
            ) as upper_quantile
        from valued
        left join
            spend_quantiles as lower_quantiles
            on valued.orders_with_items = lower_quantiles.valued_orders
            and valued.lower_orders = lower_quantiles.orders_ahead
            and valued.lower_permille = lower_quantiles.level_permille
        left join
            spend_quantiles as upper_quantiles
            on valued.orders_with_items = upper_quantiles.valued_orders
            and valued.upper_orders = upper_quantiles.orders_ahead
            and valued.upper_permille = upper_quantiles.level_permille
    ),

    averages as (
        select
            {{ ratio("sum(cast(expected_orders as decimal(30, 12)))", "count(*)") }}
            as avg_expected_orders
        from predicted
    ),

    measured as (
        select
            predicted.*,
            cast(predicted.historical_value + predicted.clv as decimal(18, 6)) as total_value,
            {{ ratio("predicted.expected_orders", "averages.avg_expected_orders") }}
            as expected_orders_lift
        from predicted
        cross join averages
    ),

    tiered as (
        select
            measured.*,
            case
                when total_value >= {{ value_tier["very_high"] }}
                then 'Very High'
                when total_value >= {{ value_tier["high"] }}
                then 'High'
                when total_value >= {{ value_tier["medium"] }}
                then 'Medium'
                when total_value >= {{ value_tier["low"] }}
                then 'Low'
                else 'Very Low'
            end as value_tier,
            case
                when expected_orders_lift >= {{ growth["high"] }}
                then 'High'
                when expected_orders_lift >= {{ growth["medium"] }}
                then 'Medium'
                else 'Low'
            end as growth_potential,
            case
                when orders >= {{ confidence["high"] }}
                then 'High'
                when orders >= {{ confidence["medium"] }}
                then 'Medium'
                else 'Low'
            end as confidence_tier
        from measured
    ),

    renamed as (
        select
            customer_unique_id,
            p_alive,
            expected_orders as expected_orders_365d,
            expected_orders_lift,
            expected_order_value,
            clv as clv_365d,
            lower_quantile as clv_lower_95,
            -- Where the quantile is 0 (nearly everybody will not buy) it bounds no expectation.
            greatest(upper_quantile, clv) as clv_upper_95,
            historical_value,
            total_value,
            value_tier,
            growth_potential,
            confidence_tier,
            case
                when value_tier in ('Very High', 'High') and growth_potential in ('High', 'Medium')
                then 'Retain'
                when value_tier in ('Very High', 'High')
                then 'Win Back'
                when growth_potential in ('High', 'Medium')
                then 'Grow'
                else 'Monitor'
            end as priority
        from tiered
    )

select *
from renamed
