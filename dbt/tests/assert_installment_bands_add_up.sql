-- Every payment of a month and type is in one band of installments, with its money.
{%- set bands = (var("installment_band_maximums").keys() | list) + ["Long"] %}
select month, payment_type, payments, payment_value
from {{ ref("mart_payment_method_performance") }}
where
    payments
    <> {% for band in bands %} {{ band | lower }}_payments {{ "+" if not loop.last }}{% endfor %}
    or payment_value
    <> {% for band in bands %} {{ band | lower }}_value {{ "+" if not loop.last }}{% endfor %}
