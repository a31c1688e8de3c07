-- Grain: one row per zip_code_prefix that has a point inside Brazil in the newest extract of
-- raw.geolocation. Exact duplicates and stray points do not move a median; points outside Brazil
-- take
-- no part. An extract is a whole snapshot: one that this model has not seen replaces every row,
-- also
-- of prefixes it lacks; otherwise a run selects nothing and costs one look at the extract's size.
-- Nothing here depends on a seed: stg_geolocation adds them, and so this never goes stale.
{{ config(unique_key="extract_scope") }}

{% set south, north, west, east = var("brazil_bounding_box") %}

with
    extract_rows as (select * from {{ ref("base_geolocation") }}),

    -- Raw is append-only: a late file of the same day adds rows, a mended one is loaded later.
    unseen_extracts as (
        select newest.extract_date, newest.extract_row_count, newest._loaded_at
        from
            (
                select extract_date, count(*) as extract_row_count, max(_loaded_at) as _loaded_at
                from extract_rows
                group by extract_date
            ) as newest
        {% if is_incremental() %}
            left join
                (
                    select distinct extract_date, extract_row_count, _loaded_at from {{ this }}
                ) as seen
                on newest.extract_date = seen.extract_date
                and newest.extract_row_count = seen.extract_row_count
                and newest._loaded_at = seen._loaded_at
            where seen.extract_date is null
        {% endif %}
    ),

    points as (
        select distinct
            {{ zip_code_prefix("geolocation_zip_code_prefix") }} as zip_code_prefix,
            latitude,
            longitude,
            upper(trim(geolocation_state)) as state
        from extract_rows
        where
            extract_date in (select extract_date from unseen_extracts)
            and quarantine_reason is null
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
            unseen_extracts.extract_date,
            unseen_extracts.extract_row_count,
            unseen_extracts._loaded_at
        from medians
        inner join states on medians.zip_code_prefix = states.zip_code_prefix
        -- The newest extract is one.
        cross join unseen_extracts
    )

select *
from joined
