-- Every order of a month and type is in one band of installments, with its money.
{%- set bands = var("installment_band_minimums") %}
select month, payment_type, orders, payment_value
from {{ ref("mart_payment_method_performance") }}
where
    orders <> {% for band in bands %} {{ band }}_orders {{ "+" if not loop.last }}{% endfor %}
    or payment_value
    <> {% for band in bands %} {{ band }}_value {{ "+" if not loop.last }}{% endfor %}
