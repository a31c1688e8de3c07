-- Grain: one row per customer_unique_id, a person with an order up to the as_of_date.
{% set vip = var("vip") %}

with
    people as (select * from {{ ref("int_customer_360") }}),

    lifetime_values as (select * from {{ ref("int_customer_lifetime_value") }}),

    campaigns as (select * from {{ ref("customer_campaigns") }}),

    joined as (
        select
            people.customer_unique_id,
            people.state,
            people.region,
            people.state_tier,
            case
                {% for state_tier, strategy in var("market_strategies").items() %}
                    when people.state_tier = {{ state_tier }} then '{{ strategy }}'
                {% endfor %}
                else 'Unknown'
            end as market_strategy,
            people.segment,
            people.rfm_code,
            people.rfm_score,
            people.lifecycle_stage,
            people.first_order_date,
            people.last_order_date,
            people.recency_days,
            people.orders,
            people.is_repeat_customer,
            people.gmv,
            people.favorite_category,
            people.main_payment_type,
            people.delivery_experience,
            people.avg_review_score,
            people.churn_probability,
            people.churn_risk,
            lifetime_values.p_alive,
            lifetime_values.expected_orders_365d,
            lifetime_values.clv_365d,
            lifetime_values.clv_lower_95,
            lifetime_values.clv_upper_95,
            lifetime_values.historical_value,
            lifetime_values.total_value,
            lifetime_values.value_tier,
            lifetime_values.growth_potential,
            lifetime_values.confidence_tier,
            lifetime_values.priority,
            cast(
                people.churn_probability * lifetime_values.clv_365d as decimal(18, 6)
            ) as value_at_risk,
            coalesce(
                lifetime_values.value_tier in ('{{ vip["value_tiers"] | join("', '") }}')
                or people.segment in ('{{ vip["segments"] | join("', '") }}'),
                false
            ) as is_vip,
            cast(campaigns.campaign as varchar) as campaign,
            cast(campaigns.retention_action as varchar) as retention_action,
            cast(campaigns.channel as varchar) as recommended_channel,
            cast(campaigns.offer as varchar) as recommended_offer,
            cast(campaigns.contact_priority as integer) as contact_priority,
            people.as_of_date
        from people
        left join lifetime_values on people.customer_unique_id = lifetime_values.customer_unique_id
        left join
            campaigns
            on coalesce(people.segment, 'No Valid Order') = campaigns.segment
            and coalesce(people.churn_risk, 'Unknown') = campaigns.churn_risk
    )

select *
from joined
