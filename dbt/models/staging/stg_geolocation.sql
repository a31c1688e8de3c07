-- Grain: one row per zip_code_prefix that has a point inside Brazil. Exact duplicates and stray
-- points do not move a median; points outside Brazil take no part.
{{ config(materialized="table") }}

{% set south, north, west, east = var("brazil_bounding_box") %}

with
    source as (select * from {{ ref("base_geolocation") }} where quarantine_reason is null),

    points as (
        select distinct
            {{ zip_code_prefix("geolocation_zip_code_prefix") }} as zip_code_prefix,
            latitude,
            longitude,
            upper(trim(geolocation_state)) as state
        from source
        where
            latitude between {{ south }} and {{ north }}
            and longitude between {{ west }} and {{ east }}
    ),

    medians as (
        select
            zip_code_prefix,
            cast(median(latitude) as decimal(9, 6)) as latitude,
            cast(median(longitude) as decimal(9, 6)) as longitude,
            cast(count(*) as integer) as distinct_points
        from points
        group by zip_code_prefix
    ),

    -- A prefix lies in one state; where points disagree most of them decide, then the alphabet.
    states as (
        select zip_code_prefix, state
        from points
        group by zip_code_prefix, state
        qualify
            row_number() over (partition by zip_code_prefix order by count(*) desc, state asc) = 1
    ),

    joined as (
        select
            medians.zip_code_prefix,
            medians.latitude,
            medians.longitude,
            states.state,
            medians.distinct_points
        from medians
        inner join states on medians.zip_code_prefix = states.zip_code_prefix
    )

select *
from joined
