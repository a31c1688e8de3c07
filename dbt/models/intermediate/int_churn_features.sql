-- Grain: one row per customer_unique_id, a person with a valid order up to the as_of_date.
with features as ({{ churn_features(as_of_date()) }})

select
    customer_unique_id,
    reference_date,
    {% for feature in churn_feature_names() %} {{ feature }}{{ "," if not loop.last }} {% endfor %}
from features
