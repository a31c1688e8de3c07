-- Grain: one row per zip_code_prefix that has a point inside Brazil in the newest extract of
-- raw.geolocation. Exact duplicates and stray points do not move a median; points outside Brazil
-- take no part. An extract is a whole snapshot: when raw has grown, every row is replaced, also
-- those of prefixes that vanished; when it has not, a run selects nothing and reads nothing.
-- Nothing here depends on a seed: stg_geolocation adds them, and so this never goes stale.
{{ config(unique_key="extract_scope") }}

{% set south, north, west, east = var("brazil_bounding_box") %}

with
    source as (
        select *
        from {{ ref("base_geolocation") }}
        {%- if not raw_has_grown("geolocation") %} where false {%- endif %}
    ),

    raw_rows as (
        select count(*) as raw_row_count, max(_loaded_at) as raw_loaded_at
        from {{ source("olist", "geolocation") }}
    ),

    extracts as (
        select max(extract_date) as extract_date, max(_loaded_at) as _loaded_at from source
    ),

    points as (
        select distinct
            {{ zip_code_prefix("geolocation_zip_code_prefix") }} as zip_code_prefix,
            latitude,
            longitude,
            upper({{ trimmed("geolocation_state") }}) as state
        from source
        where
            quarantine_reason is null
            and latitude between {{ south }} and {{ north }}
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
        select zip_code_prefix, state, cast(count(*) as integer) as state_points
        from points
        group by zip_code_prefix, state
        qualify
            row_number() over (
                partition by zip_code_prefix order by count(*) desc, state asc nulls last
            )
            = 1
    ),

    joined as (
        select
            'Brazil' as extract_scope,
            medians.zip_code_prefix,
            medians.latitude,
            medians.longitude,
            states.state,
            medians.distinct_points,
            states.state_points,
            extracts.extract_date,
            extracts._loaded_at,
            raw_rows.raw_row_count,
            raw_rows.raw_loaded_at
        from medians
        inner join states on medians.zip_code_prefix = states.zip_code_prefix
        cross join extracts
        cross join raw_rows
    )

select *
from joined
