-- Grain: one row per review_id, order_id. An order can have several reviews and a review several
-- orders: the score of an order is that of its latest review, decided in int_orders.
with
    source as (
        select *
        from {{ ref("base_reviews") }}
        where quarantine_reason is null and {{ in_sampled("order_id", "stg_orders") }}
    ),

    renamed as (
        select
            review_id,
            order_id,
            review_score,
            review_comment_title,
            review_comment_message,
            coalesce(
                nullif(trim(review_comment_message), ''), nullif(trim(review_comment_title), '')
            )
            is not null as has_comment,
            {{ standardize_timestamp("created_local_at") }} as created_at,
            {{ standardize_timestamp("answered_local_at") }} as answered_at,
            cast(created_local_at as date) as created_date,
            _loaded_at
        from source
    )

select *
from renamed
