-- Grain: one row per repeat_orders, observed_days, orders_ahead.
-- What BG/NBD expects of the next 365 days of somebody who is still a customer. Given that, the
-- rate of purchase is gamma(r + x, alpha + T) and the chance to stop after an order beta(a, b + x),
-- apart from each other. So at least k orders come with the probability of at least k events of a
-- gamma-Poisson count (negative binomial) times that of not stopping after the first k - 1, and the
-- expectation is the sum of these over k. That is the 2F1 formula of Fader, Hardie and Lee (2005),
-- term by term, and with it the whole distribution. Terms and products are summed as decimals: no
-- order of rows can change a digit.
{% set horizon_days = 365 %}
{% set tail = 0.025 %}

with
    histories as (
        select distinct orders - 1 as repeat_orders, tenure_days as observed_days
        from {{ ref("int_customer_360") }}
        where orders > 0
    ),

    parameters as ({{ model_parameters("purchases", ["r", "alpha", "a", "b"]) }}),

    terms as ({{ dbt.generate_series(var("purchase_series_terms")) }}),

    posteriors as (
        select
            histories.repeat_orders,
            histories.observed_days,
            parameters.r + histories.repeat_orders as shape,
            parameters.a as dropout_a,
            parameters.b + histories.repeat_orders as dropout_b,
            {{ horizon_days }}
            / (parameters.alpha + histories.observed_days + {{ horizon_days }}) as elapsed,
            -- So many terms that what is left out lies beyond the 13th place: the tail of the count
            -- is that of a gamma with the shape, which has fallen to it at 30 + 3 x shape.
            (30 + 3 * (parameters.r + histories.repeat_orders))
            * (1 + {{ horizon_days }} / (parameters.alpha + histories.observed_days)) as terms
        from histories
        cross join parameters
    ),

    -- Term k: ln of the factor from k - 2 to k - 1 events, and of that from k - 2 to k - 1
    -- survivals.
    factors as (
        select
            posteriors.*,
            cast(terms.generated_number as integer) as orders_ahead,
            case
                when terms.generated_number = 1
                then shape * ln(1 - elapsed)
                else
                    ln(
                        (shape + terms.generated_number - 2)
                        / (terms.generated_number - 1)
                        * elapsed
                    )
            end as log_event_factor,
            case
                when terms.generated_number = 1
                then 0
                else
                    ln(
                        (dropout_b + terms.generated_number - 2)
                        / (dropout_a + dropout_b + terms.generated_number - 2)
                    )
            end as log_survival_factor
        from posteriors
        inner join terms on terms.generated_number <= posteriors.terms
    ),

    products as (
        select
            repeat_orders,
            observed_days,
            orders_ahead,
            exp(
                cast(
                    sum(cast(log_event_factor as decimal(30, 18))) over (
                        partition by repeat_orders, observed_days
                        order by orders_ahead
                        rows between unbounded preceding and current row
                    ) as double
                )
            ) as probability_of_fewer_by_one,
            exp(
                cast(
                    sum(cast(log_survival_factor as decimal(30, 18))) over (
                        partition by repeat_orders, observed_days
                        order by orders_ahead
                        rows between unbounded preceding and current row
                    ) as double
                )
            ) as survival
        from factors
    ),

    probabilities as (
        select
            repeat_orders,
            observed_days,
            orders_ahead,
            survival * greatest(
                0,
                1 - cast(
                    sum(cast(probability_of_fewer_by_one as decimal(30, 18))) over (
                        partition by repeat_orders, observed_days
                        order by orders_ahead
                        rows between unbounded preceding and current row
                    ) as double
                )
            ) as probability_of_at_least
        from products
    ),

    expected as (
        select
            probabilities.*,
            cast(
                sum(cast(probability_of_at_least as decimal(30, 18))) over (
                    partition by repeat_orders, observed_days
                ) as double
            ) as expected_orders_if_alive,
            min(probability_of_at_least) over (
                partition by repeat_orders, observed_days
            ) as last_term,
            lag(probability_of_at_least) over (
                partition by repeat_orders, observed_days order by orders_ahead
            ) as probability_of_one_less
        from probabilities
    ),

    renamed as (
        select
            cast(repeat_orders as integer) as repeat_orders,
            cast(observed_days as integer) as observed_days,
            orders_ahead,
            round(probability_of_at_least, 12) as probability_of_at_least,
            round(expected_orders_if_alive, 12) as expected_orders_if_alive,
            last_term
        from expected
        -- The tail of a 95 % interval needs no more than the first that is less likely than it.
        where orders_ahead = 1 or probability_of_one_less > {{ tail }}
    )

select *
from renamed
