-- Grain: one row per record of raw.reviews, its newest version. Rows with a quarantine_reason
-- never reach stg_reviews.
with
    source as ({{ latest_raw_versions("reviews", ["review_id", "order_id"]) }}),

    renamed as (
        select
            record_key,
            review_id,
            order_id,
            {{ try_integer("review_score") }} as review_score,
            review_comment_title,
            review_comment_message,
            {{ try_timestamp("review_creation_date") }} as created_local_at,
            {{ try_timestamp("review_answer_timestamp") }} as answered_local_at,
            _source_file,
            _source_row,
            _loaded_at,
            {{
                quarantine_reason(
                    [
                        must_be_present("review_id"),
                        must_be_identifier("review_id"),
                        must_be_present("order_id"),
                        must_be_identifier("order_id"),
                        must_be_present("review_score"),
                        must_be_whole_number("review_score", 1, 5),
                        must_be_present("review_creation_date"),
                        must_be_timestamp("review_creation_date"),
                        must_have_happened("review_creation_date"),
                        must_be_timestamp("review_answer_timestamp"),
                        must_have_happened("review_answer_timestamp"),
                    ]
                )
            }} as quarantine_reason
        from source
    ),

    -- Here and not in the view behind it: a moment is found once, when its record is loaded.
    derived as (
        select
            renamed.*,
            {{ standardize_timestamp("created_local_at") }} as created_at,
            {{ standardize_timestamp("answered_local_at") }} as answered_at
        from renamed
    )

select *
from derived
