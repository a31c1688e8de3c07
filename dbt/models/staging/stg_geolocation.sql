-- Grain: one row per zip_code_prefix that has a point inside Brazil.
{% set densities = var("point_density_minimums") %}
{% set latitude, longitude = var("sao_paulo_point") %}
{% set checks = place_checks() + [
    {"name": "points_agree_on_state", "passed": "state_points = distinct_points"},
    {
        "name": "points_are_enough",
        "passed": "distinct_points >= " ~ var("trusted_point_count"),
    },
] %}

with
    source as (select * from {{ ref("base_zip_code_points") }}),

    states as (select * from {{ ref("brazilian_states") }}),

    zip_code_ranges as (select * from {{ ref("zip_code_ranges") }}),

    joined as (
        select
            source.zip_code_prefix,
            source.latitude,
            source.longitude,
            source.state,
            coalesce(states.region, 'Unknown') as region,
            states.state is not null as is_state_valid,
            case
                when states.state is not null then zip_code_ranges.state is not null
            end as is_zip_code_in_state,
            {{ haversine_km("source.latitude", "source.longitude", latitude, longitude) }}
            as distance_to_sao_paulo_km,
            source.distinct_points,
            source.state_points,
            case
                when source.distinct_points >= {{ densities["Dense"] }}
                then 'Dense'
                when source.distinct_points >= {{ densities["Medium"] }}
                then 'Medium'
                else 'Sparse'
            end as point_density,
            source.extract_date,
            source._loaded_at
        from source
        left join states on source.state = states.state
        left join
            zip_code_ranges
            on source.state = zip_code_ranges.state
            and source.zip_code_prefix
            between zip_code_ranges.first_prefix and zip_code_ranges.last_prefix
    ),

    scored as (
        select
            zip_code_prefix,
            latitude,
            longitude,
            state,
            region,
            is_state_valid,
            is_zip_code_in_state,
            distance_to_sao_paulo_km,
            distinct_points,
            point_density,
            {{ data_quality_score(checks) }} as data_quality_score,
            {{ failed_checks(checks) }} as failed_checks,
            extract_date,
            _loaded_at
        from joined
    )

select *
from scored
