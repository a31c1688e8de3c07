-- Grain: one row per model, parameter: the newest accepted version, which is the one that scores.
with
    source as (select * from {{ ref("default_model_parameters") }} where is_accepted),

    renamed as (
        select
            cast(model as varchar) as model,
            cast(parameter as varchar) as parameter,
            cast(version as integer) as version,
            cast(value as double) as value,
            cast(standard_error as double) as standard_error,
            cast(training_data as varchar) as training_data,
            cast(training_window as varchar) as training_window,
            cast(training_rows as integer) as training_rows,
            cast(fitted_with as varchar) as fitted_with,
            cast(metrics as varchar) as metrics
        from source
        qualify rank() over (partition by model order by version desc) = 1
    )

select *
from renamed
