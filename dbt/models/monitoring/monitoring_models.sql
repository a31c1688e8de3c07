-- Grain: one row per model that predicts: what scores now, whether that is the fallback and why,
-- and
-- how the newest fit did on data that it had not seen, beside its baseline.
{% set fitted_models = {
    "churn": {
        "figure": "AUC",
        "value": json_number("metrics", "auc"),
        "baseline_name": "base rate",
        "baseline": "0.5",
    },
    "purchases": {
        "figure": "expected / actual orders",
        "value": ratio(
            json_number("metrics", "predicted_orders"),
            json_number("metrics", "actual_orders"),
        ),
        "baseline_name": "exact",
        "baseline": "1",
    },
    "spend": {
        "figure": "log score of an order",
        "value": json_number("metrics", "log_score"),
        "baseline_name": "log-normal, all alike",
        "baseline": json_number("metrics", "lognormal_log_score"),
    },
} %}

with
    scoring as (
        select distinct model, origin, version, training_rows from {{ ref("int_model_parameters") }}
    ),

    newest_fits as (
        select model, metrics, reason, fitted_at
        from {{ ref("stg_fitted_model_parameters") }}
        qualify row_number() over (partition by model order by version desc, parameter asc) = 1
    ),

    fitted as (
        {% for model, figure in fitted_models.items() %}
            select
                scoring.model,
                scoring.origin = 'default' as is_fallback,
                scoring.origin || ' version ' || cast(scoring.version as varchar) as scored_by,
                coalesce(newest_fits.reason, 'Not fitted on this data yet.') as reason,
                '{{ figure.figure }}' as figure,
                {{ figure.value }} as figure_value,
                '{{ figure.baseline_name }}' as baseline_name,
                cast({{ figure.baseline }} as double) as baseline,
                scoring.training_rows,
                newest_fits.fitted_at
            from scoring
            left join newest_fits on scoring.model = newest_fits.model
            where scoring.model = '{{ model }}'
            union all
        {% endfor %}
        select
            'forecast' as model,
            is_fallback,
            forecast_method as scored_by,
            case
                when judged_forecasts < {{ var("forecast_minimum_errors") }}
                then 'Too few months have come to judge the moving average.'
                when is_fallback
                then 'The moving average missed more than the last month.'
                else 'The moving average missed no more than the last month.'
            end as reason,
            'MAPE of the moving average' as figure,
            candidate_mape as figure_value,
            'last month' as baseline_name,
            naive_mape as baseline,
            training_months as training_rows,
            cast(null as timestamp) as fitted_at
        from {{ ref("int_gmv_forecasts") }}
        where series_level = 'platform' and is_latest_origin and horizon = 1
    ),

    renamed as (
        select
            cast(model as varchar) as model,
            cast(scored_by as varchar) as scored_by,
            is_fallback,
            cast(reason as varchar) as reason,
            cast(figure as varchar) as figure,
            cast(figure_value as double) as figure_value,
            cast(baseline_name as varchar) as baseline_name,
            cast(baseline as double) as baseline,
            cast(training_rows as integer) as training_rows,
            fitted_at,
            cast('platform/docs/models/' || model || '.md' as varchar) as card
        from fitted
    )

select *
from renamed
