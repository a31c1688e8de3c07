-- Grain: one row per seller_id of stg_sellers, those who never sold included.
-- Of the interventions that apply to a seller the seed's precedence picks one; Monitor always
-- applies.
{% set is_struggling = "is_score_reliable and health_tier in ('Poor', 'Critical')" %}
{% set is_key_account = "gmv >= " ~ var("seller_key_account_gmv") %}
{% set interventions = {
    "Rescue Key Account": is_key_account
    ~ " and recent_gmv + previous_gmv > 0 and (is_inactive or is_low_on_time or is_high_dissatisfaction or is_high_cancellation or ("
    ~ is_struggling
    ~ "))",
    "Review Contract": "not is_inactive and is_score_reliable and (health_tier = 'Critical' or (is_high_dissatisfaction and (is_high_cancellation or is_low_on_time)))",
    "Reduce Cancellations": "not is_inactive and is_high_cancellation",
    "Improve Delivery": "not is_inactive and is_low_on_time",
    "Improve Service": "not is_inactive and (is_high_dissatisfaction or ("
    ~ is_struggling
    ~ "))",
    "Speed Up Handover": "not is_inactive and is_late_handover",
    "Win Back": "is_inactive and is_score_reliable",
    "Support Sales": "is_score_reliable and growth_trend = 'Declining'",
    "Grow Partnership": "is_score_reliable and growth_trend = 'Growing' and health_tier in ('Excellent', 'Good')",
    "Guide Newcomer": "not is_inactive and not is_score_reliable and health_tier <> 'No Sales'",
    "Activate": "health_tier = 'No Sales'",
    "Let Rest": "is_inactive and not is_score_reliable",
    "Monitor": "true",
} %}

with
    sellers as (select * from {{ ref("int_seller_health_score") }}),

    interventions as (select * from {{ ref("seller_interventions") }}),

    applicable as (
        {% for intervention, condition in interventions.items() %}
            select seller_id, '{{ intervention }}' as intervention
            from sellers
            where {{ condition }} {{ "union all" if not loop.last }}
        {% endfor %}
    ),

    chosen as (
        select
            applicable.seller_id,
            interventions.intervention,
            interventions.base_priority,
            interventions.recommendation
        from applicable
        inner join interventions on applicable.intervention = interventions.intervention
        qualify
            row_number() over (
                partition by applicable.seller_id order by interventions.precedence asc
            )
            = 1
    ),

    -- Only those who sell are peers of each other.
    peers as (
        select
            seller_id,
            count(*) over (partition by region) as region_peers,
            percent_rank() over (partition by region order by gmv asc) as region_gmv_rank,
            percent_rank() over (
                partition by region order by health_score asc
            ) as region_health_rank,
            count(*) over (partition by health_tier) as tier_peers,
            percent_rank() over (partition by health_tier order by gmv asc) as tier_gmv_rank
        from sellers
        where health_tier <> 'No Sales'
    ),

    joined as (
        select
            sellers.*,
            chosen.intervention,
            chosen.recommendation,
            chosen.base_priority
            + coalesce({{ log_share_of_target("sellers.gmv", var("seller_key_account_gmv")) }}, 0)
            * {{ var("seller_size_priority") }} as priority,
            case
                when
                    sellers.is_inactive
                    or sellers.is_low_on_time
                    or sellers.is_high_dissatisfaction
                    or sellers.is_high_cancellation
                    or sellers.is_late_handover
                    or (sellers.is_score_reliable and sellers.health_tier in ('Poor', 'Critical'))
                then sellers.recent_gmv + sellers.previous_gmv
                else 0
            end as gmv_at_risk,
            peers.region_peers,
            case
                when peers.region_peers >= {{ var("seller_minimum_peers") }}
                then peers.region_gmv_rank
            end as region_gmv_rank,
            case
                when peers.region_peers >= {{ var("seller_minimum_peers") }}
                then peers.region_health_rank
            end as region_health_rank,
            peers.tier_peers,
            case
                when peers.tier_peers >= {{ var("seller_minimum_peers") }} then peers.tier_gmv_rank
            end as tier_gmv_rank
        from sellers
        inner join chosen on sellers.seller_id = chosen.seller_id
        left join peers on sellers.seller_id = peers.seller_id
    ),

    managed as (
        select
            seller_id,
            state,
            region,
            health_tier,
            health_score,
            is_score_reliable,
            delivery_score,
            satisfaction_score,
            volume_score,
            quality_score,
            gmv,
            orders,
            customers,
            aov,
            products,
            top_category,
            on_time_rate,
            avg_delivery_days,
            late_handover_rate,
            avg_review_score,
            dissatisfied_share,
            cancellation_rate,
            days_since_last_order,
            growth_trend,
            gmv_growth,
            intervention,
            recommendation,
            {{
                flag_reasons(
                    {
                        "is_inactive": "inactive",
                        "is_low_on_time": "late deliveries",
                        "is_high_dissatisfaction": "dissatisfied reviews",
                        "is_high_cancellation": "cancellations",
                        "is_late_handover": "late hand-overs",
                    }
                )
            }} as risk_reasons,
            cast(round(priority, 2) as decimal(5, 2)) as priority,
            cast(
                row_number() over (
                    order by round(priority, 2) desc, gmv_at_risk desc, gmv desc, seller_id asc
                ) as integer
            ) as priority_rank,
            cast(gmv_at_risk as decimal(18, 2)) as gmv_at_risk,
            gmv >= {{ var("seller_key_account_gmv") }} as is_key_account,
            cast(region_peers as integer) as region_peers,
            {{ quartile("region_gmv_rank") }} as region_gmv_quartile,
            {{ quartile("region_health_rank") }} as region_health_quartile,
            cast(tier_peers as integer) as tier_peers,
            {{ quartile("tier_gmv_rank") }} as tier_gmv_quartile,
            as_of_date
        from joined
    )

select *
from managed
