-- Grain: one row per model, parameter: the version that scores. It is the newest accepted one of
-- those that this warehouse fitted on its own data, else of the seed's. A fit of other features
-- than
-- the project has now lacks a parameter of the seed's: it does not score.
{% set columns = [
    "model",
    "parameter",
    "version",
    "value",
    "standard_error",
    "training_window",
    "training_rows",
    "fitted_with",
    "metrics",
] %}

with
    fitted as (
        select
            {% for column in columns %} {{ column }}, {% endfor %}
            'This warehouse' as training_data,
            'fitted' as origin,
            data_checksum,
            code_version,
            fitted_at
        from {{ ref("stg_fitted_model_parameters") }}
        where is_accepted
    ),

    defaults as (
        select
            {% for column in columns %} {{ column }}, {% endfor %}
            training_data,
            'default' as origin,
            cast(null as varchar) as data_checksum,
            cast(null as varchar) as code_version,
            cast(null as timestamp) as fitted_at
        from {{ ref("default_model_parameters") }}
        where is_accepted
    ),

    newest_defaults as (
        select model, parameter
        from defaults
        qualify rank() over (partition by model order by version desc) = 1
    ),

    needed as (
        select model, parameter, count(*) over (partition by model) as parameters
        from newest_defaults
    ),

    scorable as (
        select fitted.model, fitted.version
        from needed
        inner join fitted on needed.model = fitted.model and needed.parameter = fitted.parameter
        group by fitted.model, fitted.version
        having count(*) = max(needed.parameters)
    ),

    source as (
        select fitted.*
        from fitted
        inner join scorable on fitted.model = scorable.model and fitted.version = scorable.version
        union all
        select *
        from defaults
    ),

    renamed as (
        select
            cast(model as varchar) as model,
            cast(parameter as varchar) as parameter,
            cast(origin as varchar) as origin,
            cast(version as integer) as version,
            cast(value as double) as value,
            cast(standard_error as double) as standard_error,
            cast(training_data as varchar) as training_data,
            cast(training_window as varchar) as training_window,
            cast(training_rows as integer) as training_rows,
            cast(data_checksum as varchar) as data_checksum,
            cast(code_version as varchar) as code_version,
            cast(fitted_with as varchar) as fitted_with,
            cast(metrics as varchar) as metrics,
            cast(fitted_at as timestamp) as fitted_at
        from source
        qualify
            rank() over (
                partition by model
                order by case when origin = 'fitted' then 0 else 1 end asc, version desc
            )
            = 1
    )

select *
from renamed
