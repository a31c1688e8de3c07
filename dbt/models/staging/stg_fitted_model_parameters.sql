-- Grain: one row per model, version, parameter: every fit of this warehouse, accepted or not.
with
    source as (select * from {{ source("monitoring", "fitted_model_parameters") }}),

    renamed as (
        select
            cast(model as varchar) as model,
            cast(version as integer) as version,
            cast(parameter as varchar) as parameter,
            cast(value as double) as value,
            cast(standard_error as double) as standard_error,
            cast(training_window as varchar) as training_window,
            cast(training_rows as integer) as training_rows,
            cast(training_events as integer) as training_events,
            cast(data_checksum as varchar) as data_checksum,
            cast(code_version as varchar) as code_version,
            cast(fitted_with as varchar) as fitted_with,
            cast(metrics as varchar) as metrics,
            cast(is_accepted as boolean) as is_accepted,
            cast(reason as varchar) as reason,
            cast(fitted_at as timestamp) as fitted_at
        from source
    )

select *
from renamed
