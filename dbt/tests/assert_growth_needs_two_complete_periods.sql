-- A growth figure stands only on a complete period that follows a complete, present one.
-- A period is complete when its last day lies no later than the as_of_date.
select kpis.period_type, kpis.period_start, kpis.gmv_growth
from {{ ref("mart_executive_kpis") }} as kpis
left join
    {{ ref("mart_executive_kpis") }} as previous
    on kpis.period_type = previous.period_type
    and kpis.period_start = {{ add_periods("day", 1, "previous.period_end") }}
where
    (kpis.gmv_growth is not null) <> (
        kpis.is_complete
        and coalesce(previous.is_complete, false)
        and coalesce(previous.gmv, 0) <> 0
    )
    or kpis.is_complete <> (kpis.period_end <= kpis.as_of_date)
    or (
        not kpis.is_complete
        and coalesce(kpis.orders_growth, kpis.gmv_yoy_growth, kpis.orders_yoy_growth) is not null
    )
