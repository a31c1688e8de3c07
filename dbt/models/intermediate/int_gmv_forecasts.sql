-- Grain: one row per series_level, series, origin_month, horizon: the forecast as it would have
-- been published at the end of a month, with its interval; the latest origin is the forecast.
-- The moving average is used where it did no worse than the last month's value so far, else that
-- value. Forecasts of parts are scaled to the platform's, so that they add up.
{% set horizon_months = var("forecast_horizon_months") %}
{% set minimum_errors = var("forecast_minimum_errors") %}
{% set interval_months = var("forecast_interval_months") %}
{% set nominals = [80, 95] %}

with
    candidates as (select * from {{ ref("int_forecast_candidates") }}),

    judged as (
        select
            series_level,
            series,
            forecast_month,
            abs({{ decimal_ratio("candidate_gmv - actual_gmv", "actual_gmv") }}) as candidate_error,
            abs({{ decimal_ratio("naive_gmv - actual_gmv", "actual_gmv") }}) as naive_error
        from candidates
        where actual_gmv > 0 and horizon <= {{ horizon_months }}
    ),

    -- What was known at an origin of how both had done.
    verdicts as (
        select
            origins.series_level,
            origins.series,
            origins.origin_month,
            count(judged.candidate_error) as judged_forecasts,
            {{ exact_average("judged.candidate_error") }} as candidate_mape,
            {{ exact_average("judged.naive_error") }} as naive_mape
        from candidates as origins
        left join
            judged
            on origins.series_level = judged.series_level
            and origins.series = judged.series
            and judged.forecast_month <= origins.origin_month
        where origins.horizon = 1
        group by origins.series_level, origins.series, origins.origin_month
    ),

    decided as (
        select
            candidates.*,
            verdicts.judged_forecasts,
            verdicts.candidate_mape,
            verdicts.naive_mape,
            coalesce(
                verdicts.judged_forecasts < {{ minimum_errors }}
                or verdicts.candidate_mape > verdicts.naive_mape,
                true
            ) as is_fallback
        from candidates
        inner join
            verdicts
            on candidates.series_level = verdicts.series_level
            and candidates.series = verdicts.series
            and candidates.origin_month = verdicts.origin_month
    ),

    chosen as (
        select
            decided.*,
            case when is_fallback then 'last month' else candidate_method end as forecast_method,
            case when is_fallback then naive_gmv else candidate_gmv end as own_gmv
        from decided
    ),

    platform as (
        select origin_month, horizon, own_gmv as platform_gmv
        from chosen
        where series_level = 'platform'
    ),

    sums as (
        select
            chosen.*,
            platform.platform_gmv,
            sum(chosen.own_gmv) over (
                partition by chosen.series_level, chosen.origin_month, chosen.horizon
            ) as level_gmv,
            sum(chosen.own_gmv) over (
                partition by chosen.series_level, chosen.origin_month, chosen.horizon
                order by chosen.series
                rows between unbounded preceding and current row
            ) as level_gmv_so_far,
            row_number() over (
                partition by chosen.series_level, chosen.origin_month, chosen.horizon
                order by chosen.series
            ) as number_in_level,
            count(*) over (
                partition by chosen.series_level, chosen.origin_month, chosen.horizon
            ) as series_of_level
        from chosen
        inner join
            platform
            on chosen.origin_month = platform.origin_month
            and chosen.horizon = platform.horizon
    ),

    -- Running sums are rounded, not parts: so that these add up to the cent. Parts that all expect
    -- nothing share evenly what the platform expects.
    scaled as (
        select
            sums.*,
            round(
                cast(platform_gmv as double) * coalesce(
                    {{ ratio("level_gmv_so_far", "level_gmv") }},
                    {{ ratio("number_in_level", "series_of_level") }}
                ),
                2
            ) as gmv_so_far
        from sums
    ),

    reconciled as (
        select
            scaled.*,
            cast(
                gmv_so_far - coalesce(
                    lag(gmv_so_far) over (
                        partition by series_level, origin_month, horizon order by series
                    ),
                    0
                ) as decimal(18, 2)
            ) as forecast_gmv
        from scaled
    ),

    tested as (
        select
            reconciled.*,
            cast(
                round({{ ratio("actual_gmv - forecast_gmv", "forecast_gmv") }}, 6) as decimal(18, 6)
            ) as relative_error
        from reconciled
    ),

    -- Errors grow with the square root of the horizon; by it they are brought to one month ahead.
    errors as (
        select
            series_level,
            series,
            forecast_month,
            abs(cast(relative_error as double)) / sqrt(horizon) as monthly_error
        from tested
        where relative_error is not null and horizon <= {{ horizon_months }}
    ),

    {% for nominal in nominals %}
        spreads_{{ nominal }} as (
            select
                origins.series_level,
                origins.series,
                origins.origin_month,
                count(*) as errors,
                percentile_cont({{ nominal / 100 }}) within group (
                    order by errors.monthly_error
                ) as spread
            from candidates as origins
            inner join
                errors
                on origins.series_level = errors.series_level
                and origins.series = errors.series
                and errors.forecast_month <= origins.origin_month
                and errors.forecast_month
                > {{
                    add_periods(
                        "month", -1 * interval_months[nominal | string], "origins.origin_month"
                    )
                }}
            where origins.horizon = 1
            group by origins.series_level, origins.series, origins.origin_month
            having count(*) >= {{ minimum_errors }}
        ),
    {% endfor %}

    spread as (
        select
            tested.*,
            spreads_80.spread as spread_80,
            case
                when spreads_80.spread > spreads_95.spread
                then spreads_80.spread
                else spreads_95.spread
            end as spread_95,
            spreads_95.errors as interval_errors
        from tested
        {% for nominal in nominals %}
            left join
                spreads_{{ nominal }}
                on tested.series_level = spreads_{{ nominal }}.series_level
                and tested.series = spreads_{{ nominal }}.series
                and tested.origin_month = spreads_{{ nominal }}.origin_month
        {% endfor %}
    ),

    bounded as (
        select
            series_level,
            series,
            origin_month,
            horizon,
            forecast_month,
            is_latest_origin,
            training_months,
            candidate_method,
            forecast_level,
            monthly_trend,
            seasonal_index,
            candidate_gmv,
            naive_gmv,
            cast(judged_forecasts as integer) as judged_forecasts,
            candidate_mape,
            naive_mape,
            is_fallback,
            forecast_method,
            forecast_gmv,
            {% for nominal in nominals %}
                {% for bound, sign in {"lower": "-", "upper": "+"}.items() %}
                    cast(
                        round(
                            case
                                when spread_{{ nominal }} is not null
                                then
                                    cast(forecast_gmv as double)
                                    * greatest(0, 1 {{ sign }} spread_{{ nominal }} * sqrt(horizon))
                            end,
                            2
                        ) as decimal(18, 2)
                    ) as forecast_{{ bound }}_{{ nominal }},
                {% endfor %}
            {% endfor %}
            cast(interval_errors as integer) as interval_errors,
            actual_gmv,
            relative_error
        from spread
    )

select *
from bounded
