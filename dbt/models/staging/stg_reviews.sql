-- Grain: one row per review_id, order_id. An order can have several reviews and a review several
-- orders: the score of an order is that of its latest review, decided in int_order_facts.
-- Title and message are free text (PII): no mart may carry them.
{% set lengths = var("comment_length_minimums") %}
{% set checks = [
    {"name": "answer_is_known", "passed": "answered_at is not null"},
    {"name": "answer_follows_creation", "passed": "answered_at >= created_at"},
    {
        "name": "answer_came_in_plausible_time",
        "passed": "answer_hours <= 24 * " ~ var("plausible_maximum_answer_days"),
    },
    {
        "name": "comment_has_letters",
        "passed": "not has_comment or " ~ has_letters("comment"),
    },
] %}

with
    source as (
        select
            *,
            coalesce(
                nullif({{ trimmed("review_comment_message") }}, ''),
                nullif({{ trimmed("review_comment_title") }}, '')
            ) as comment
        from {{ ref("base_reviews") }}
        where quarantine_reason is null and {{ in_sampled("order_id", "stg_orders") }}
    ),

    renamed as (
        select
            {{ surrogate_key(["review_id", "order_id"]) }} as review_key,
            review_id,
            order_id,
            review_score,
            case
                when review_score >= {{ var("positive_review_minimum_score") }}
                then 'Positive'
                when review_score <= {{ var("negative_review_maximum_score") }}
                then 'Negative'
                else 'Neutral'
            end as sentiment,
            review_comment_title,
            review_comment_message,
            comment,
            comment is not null as has_comment,
            case
                when comment is null
                then 'None'
                when length(comment) >= {{ lengths["Long"] }}
                then 'Long'
                when length(comment) >= {{ lengths["Medium"] }}
                then 'Medium'
                else 'Short'
            end as comment_length_class,
            created_at,
            answered_at,
            cast(created_local_at as date) as created_date,
            -- A score is that of the answer: the survey's own day knows none yet.
            cast(coalesce(answered_local_at, created_local_at) as date) as known_date,
            _loaded_at
        from source
    ),

    derived as (
        select
            *,
            case
                when answered_at >= created_at then {{ hours_between("created_at", "answered_at") }}
            end as answer_hours
        from renamed
    ),

    scored as (
        select
            review_key,
            review_id,
            order_id,
            review_score,
            sentiment,
            review_comment_title,
            review_comment_message,
            has_comment,
            comment_length_class,
            created_at,
            answered_at,
            created_date,
            known_date,
            answer_hours,
            {{ data_quality_score(checks) }} as data_quality_score,
            {{ failed_checks(checks) }} as failed_checks,
            _loaded_at
        from derived
    )

select *
from scored
