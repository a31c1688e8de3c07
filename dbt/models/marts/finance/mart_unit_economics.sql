-- Grain: one row per cohort_month and months_since_first, each month up to the as_of_date's, those
-- without an order included.
-- An order of an unknown person is a first order as far as anyone knows: its month's row at 0 holds
-- it in orders, gmv and margin, the unattributed_ columns say how much of them it is, and what is
-- per person leaves it out.
with
    orders as (
        select
            customer_unique_id,
            purchase_month,
            gmv,
            freight_revenue,
            {{ contribution_margin("gmv", "freight_revenue", "payment_value") }}
            as contribution_margin
        from {{ ref("int_orders") }}
        where is_valid
    ),

    numbers as ({{ dbt.generate_series(var("cohort_months")) }}),

    reference as (
        select {{ period_start("month", "as_of_date") }} as last_month
        from (select {{ as_of_date() }} as as_of_date) as as_of
    ),

    person_months as (
        select
            customer_unique_id,
            purchase_month,
            count(*) as orders,
            sum(gmv) as gmv,
            sum(freight_revenue) as freight_revenue,
            sum(contribution_margin) as contribution_margin,
            min(purchase_month) over (partition by customer_unique_id) as cohort_month
        from orders
        where customer_unique_id is not null
        group by customer_unique_id, purchase_month
    ),

    attributed as (
        select
            cohort_month,
            purchase_month,
            count(*) as active_customers,
            sum(orders) as orders,
            count(
                case when orders > 1 or purchase_month > cohort_month then 1 end
            ) as returning_customers,
            sum(gmv) as gmv,
            sum(freight_revenue) as freight_revenue,
            sum(contribution_margin) as contribution_margin
        from person_months
        group by cohort_month, purchase_month
    ),

    unattributed as (
        select
            purchase_month,
            count(*) as orders,
            sum(gmv) as gmv,
            sum(freight_revenue) as freight_revenue,
            sum(contribution_margin) as contribution_margin
        from orders
        where customer_unique_id is null
        group by purchase_month
    ),

    cohorts as (
        select months.cohort_month, coalesce(max(sizes.active_customers), 0) as cohort_size
        from
            (
                select cohort_month
                from attributed
                union
                select purchase_month as cohort_month
                from unattributed
            ) as months
        left join
            attributed as sizes
            on months.cohort_month = sizes.cohort_month
            and months.cohort_month = sizes.purchase_month
        group by months.cohort_month
    ),

    cohort_months as (
        select
            cohorts.cohort_month,
            cohorts.cohort_size,
            numbers.generated_number - 1 as months_since_first,
            {{ add_periods("month", "numbers.generated_number - 1", "cohorts.cohort_month") }}
            as activity_month
        from cohorts
        cross join numbers
        cross join reference
        where
            {{ add_periods("month", "numbers.generated_number - 1", "cohorts.cohort_month") }}
            <= reference.last_month
    ),

    joined as (
        select
            cohort_months.cohort_month,
            cohort_months.months_since_first,
            cohort_months.activity_month,
            cohort_months.cohort_size,
            coalesce(attributed.active_customers, 0) as active_customers,
            coalesce(attributed.returning_customers, 0) as returning_customers,
            coalesce(attributed.orders, 0) + coalesce(unattributed.orders, 0) as orders,
            coalesce(attributed.gmv, 0) + coalesce(unattributed.gmv, 0) as gmv,
            coalesce(attributed.freight_revenue, 0)
            + coalesce(unattributed.freight_revenue, 0) as freight_revenue,
            coalesce(attributed.contribution_margin, 0) as attributed_contribution_margin,
            coalesce(unattributed.orders, 0) as unattributed_orders,
            coalesce(unattributed.gmv, 0) as unattributed_gmv,
            coalesce(unattributed.contribution_margin, 0) as unattributed_contribution_margin
        from cohort_months
        left join
            attributed
            on cohort_months.cohort_month = attributed.cohort_month
            and cohort_months.activity_month = attributed.purchase_month
        left join
            unattributed
            on cohort_months.months_since_first = 0
            and cohort_months.cohort_month = unattributed.purchase_month
    ),

    cumulated as (
        select
            joined.*,
            sum(attributed_contribution_margin) over (
                partition by cohort_month
                order by months_since_first
                rows between unbounded preceding and current row
            ) as cumulative_contribution_margin
        from joined
    ),

    measured as (
        select
            cohort_month,
            cast(months_since_first as integer) as months_since_first,
            activity_month,
            {{ is_complete_period("month", "activity_month") }} as is_complete,
            cast(cohort_size as integer) as cohort_size,
            cast(active_customers as integer) as active_customers,
            cast(returning_customers as integer) as returning_customers,
            {{ ratio("active_customers", "cohort_size") }} as retention_rate,
            {{ wilson_bound("active_customers", "cohort_size", "lower") }} as retention_lower_95,
            {{ wilson_bound("active_customers", "cohort_size", "upper") }} as retention_upper_95,
            cast(orders as integer) as orders,
            cast(gmv as decimal(18, 2)) as gmv,
            cast(freight_revenue as decimal(18, 2)) as freight_revenue,
            cast(
                attributed_contribution_margin + unattributed_contribution_margin as decimal(18, 6)
            ) as contribution_margin,
            cast(unattributed_orders as integer) as unattributed_orders,
            cast(unattributed_gmv as decimal(18, 2)) as unattributed_gmv,
            {{ ratio("cumulative_contribution_margin", "cohort_size") }} as cumulative_ltv,
            {{
                ratio(
                    ratio("cumulative_contribution_margin", "cohort_size"),
                    var("customer_acquisition_cost"),
                )
            }} as ltv_to_cac,
            cast(
                cohort_size
                * cast({{ var("customer_acquisition_cost") }} as decimal(18, 2)) as decimal(18, 2)
            ) as acquisition_cost,
            case
                when cohort_size > 0
                then
                    cumulative_contribution_margin
                    >= cohort_size * cast({{ var("customer_acquisition_cost") }} as decimal(18, 2))
            end as is_paid_back
        from cumulated
    ),

    paid_back as (
        select
            measured.*,
            -- Margins can be negative, so what was paid back once may sink again: the first time
            -- counts.
            min(case when is_paid_back then months_since_first end) over (
                partition by cohort_month
            ) as payback_month
        from measured
    )

select *
from paid_back
