-- Grain: one row per r_score, f_score, m_score: the segment of every combination of scores.
with
    scores as ({{ dbt.generate_series(5) }}),

    rules as (select * from {{ ref("customer_segments") }}),

    combinations as (
        select
            cast(r.generated_number as integer) as r_score,
            cast(f.generated_number as integer) as f_score,
            cast(m.generated_number as integer) as m_score
        from scores as r
        cross join scores as f
        cross join scores as m
    ),

    joined as (
        select
            combinations.r_score,
            combinations.f_score,
            combinations.m_score,
            cast(rules.segment as varchar) as segment
        from combinations
        inner join
            rules
            on combinations.r_score between rules.min_r_score and rules.max_r_score
            and combinations.f_score between rules.min_f_score and rules.max_f_score
            and combinations.m_score between rules.min_m_score and rules.max_m_score
        qualify
            row_number() over (
                partition by combinations.r_score, combinations.f_score, combinations.m_score
                order by rules.priority asc
            )
            = 1
    )

select *
from joined
