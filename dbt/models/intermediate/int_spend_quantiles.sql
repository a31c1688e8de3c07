-- Grain: one row per valued_orders, orders_ahead, level_permille.
-- Quantiles of what some further orders are worth together, as multiples of their expectation, by
-- Gamma-Gamma: after n orders of value the sum of k further ones is a scale times a beta prime (k
-- p, q + n p) variable. Its density is summed over steps, from 0 to a multiple of the expectation,
-- narrow where it is steep. Only the numbers of orders that somebody needs.
{% set steps = 1000 %}
{% set largest_multiple = 16 %}

with
    people as (select * from {{ ref("int_customer_360") }} where orders > 0),

    outlook as (select * from {{ ref("int_purchase_outlook") }}),

    parameters as ({{ model_parameters("spend", ["p", "q", "gamma"]) }}),

    numbers as ({{ dbt.generate_series(steps) }}),

    combinations as (
        select distinct people.orders_with_items as valued_orders, outlook.orders_ahead
        from (select distinct orders_with_items, orders, tenure_days from people) as people
        inner join
            outlook
            on people.orders - 1 = outlook.repeat_orders
            and people.tenure_days = outlook.observed_days
    ),

    shapes as (
        select
            combinations.valued_orders,
            combinations.orders_ahead,
            combinations.orders_ahead * parameters.p as shape,
            parameters.q + combinations.valued_orders * parameters.p as tail_shape
        from combinations
        cross join parameters
    ),

    -- Middle of step i on a quadratic scale; the expectation of beta prime is shape / (tail_shape
    -- - 1).
    points as (
        select
            shapes.valued_orders,
            shapes.orders_ahead,
            shapes.shape,
            shapes.tail_shape,
            numbers.generated_number as step,
            {{ largest_multiple }}
            * power((numbers.generated_number - 0.5) / {{ steps }}, 2) as multiple,
            2 * (numbers.generated_number - 0.5) as width
        from shapes
        cross join numbers
    ),

    log_densities as (
        select
            points.*,
            (shape - 1) * ln(multiple)
            - (shape + tail_shape) * ln(1 + multiple * shape / (tail_shape - 1))
            + ln(width) as log_mass
        from points
    ),

    masses as (
        select
            log_densities.*,
            cast(
                exp(
                    log_mass - max(log_mass) over (partition by valued_orders, orders_ahead)
                ) as decimal(30, 18)
            ) as mass
        from log_densities
    ),

    cumulated as (
        select
            valued_orders,
            orders_ahead,
            step,
            {{
                ratio(
                    "sum(mass) over (partition by valued_orders, orders_ahead order by step rows between unbounded preceding and current row)",
                    "sum(mass) over (partition by valued_orders, orders_ahead)",
                )
            }}
            as probability
        from masses
    ),

    reached as (
        select
            valued_orders,
            orders_ahead,
            step,
            floor(probability * {{ steps }}) as level_permille,
            coalesce(
                lag(floor(probability * {{ steps }})) over (
                    partition by valued_orders, orders_ahead order by step
                ),
                0
            ) as level_before
        from cumulated
    ),

    -- The end of the first step that reaches a level bounds its quantile from above.
    levels as (
        select
            reached.valued_orders,
            reached.orders_ahead,
            reached.step,
            numbers.generated_number as level_permille
        from reached
        inner join
            numbers
            on numbers.generated_number > reached.level_before
            and numbers.generated_number <= reached.level_permille
        where
            reached.level_permille > reached.level_before and numbers.generated_number < {{ steps }}
    ),

    renamed as (
        select
            cast(valued_orders as integer) as valued_orders,
            cast(orders_ahead as integer) as orders_ahead,
            cast(level_permille as integer) as level_permille,
            cast(
                {{ largest_multiple }} * power(cast(step as double) / {{ steps }}, 2) as double
            ) as multiple_of_expectation
        from levels
    )

select *
from renamed
