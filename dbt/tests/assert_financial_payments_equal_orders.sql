-- Every payment of int_orders is in the month of its order, of a valid order or of a lost one.
with
    expected as (
        select
            purchase_month,
            sum(case when is_valid then coalesce(payment_value, 0) else 0 end) as payment_value,
            sum(case when is_valid then 0 else coalesce(payment_value, 0) end) as lost_payment_value
        from {{ ref("int_orders") }}
        group by purchase_month
    ),

    actuals as (select * from {{ ref("mart_financial_performance") }} where not is_forecast)

select coalesce(expected.purchase_month, actuals.month) as month, actuals.payment_value
from expected
full outer join actuals on expected.purchase_month = actuals.month
where
    actuals.month is null
    or actuals.payment_value <> coalesce(expected.payment_value, 0)
    or actuals.lost_payment_value <> coalesce(expected.lost_payment_value, 0)
