-- The people of all segments are the people with a valid order, each in one segment, and theirs are
-- all the valid orders, GMV and freight of known people.
with
    people as (
        select
            count(*) as people,
            count(segment) as people_in_segments,
            sum(orders) as orders,
            sum(gmv) as gmv,
            sum(freight_revenue) as freight_revenue
        from {{ ref("int_customer_360") }}
        where orders > 0 or segment is not null
    ),

    expected as (
        select
            count(distinct customer_unique_id) as people,
            count(*) as orders,
            coalesce(sum(gmv), 0) as gmv,
            coalesce(sum(freight_revenue), 0) as freight_revenue
        from {{ ref("int_orders") }}
        where is_valid and customer_unique_id is not null
    )

select people.*, expected.people as expected_people
from people
cross join expected
where
    people.people <> expected.people
    or people.people_in_segments <> expected.people
    or people.orders <> expected.orders
    or people.gmv <> expected.gmv
    or people.freight_revenue <> expected.freight_revenue
