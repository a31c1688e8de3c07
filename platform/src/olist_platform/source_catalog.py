"""The nine raw datasets: file, columns, key and PII class of each.

Raw tables, pipes, masking policies, the local loader, the generator's headers and the test of
dbt's sources all read this module. Source: the Kaggle "Brazilian E-Commerce Public Dataset by
Olist", its misspelt column names included.
"""

from dataclasses import dataclass
from enum import StrEnum

from olist_platform.errors import OlistError

# Wall clock of the source's timestamps, and what its extracts are days of.
SOURCE_TIME_ZONE = "America/Sao_Paulo"


class PiiClass(StrEnum):
    """What a column tells about a natural person; it decides the masking policy."""

    NONE = "none"
    PERSON_IDENTIFIER = "person_identifier"
    LOCATION = "location"
    FREE_TEXT = "free_text"


# Where several classes meet in one column, the first of these counts.
STRICTEST_FIRST = (PiiClass.FREE_TEXT, PiiClass.PERSON_IDENTIFIER, PiiClass.LOCATION)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a dataset, as its file's header spells it."""

    name: str
    pii: PiiClass = PiiClass.NONE


@dataclass(frozen=True, slots=True)
class Dataset:
    """One raw dataset.

    Attributes:
        name: Name of the dataset, its landing folder and its raw table.
        file_name: Exact name of the CSV file.
        columns: Columns in the file's order.
        key: Columns whose values identify a record; empty where a file is a whole snapshot and
            only its newest extract counts.
        has_byte_order_mark: Whether the published file starts with a UTF-8 byte-order mark.
        ends_with_line_break: Whether the published file's last record has its line end.
        is_nightly: Whether every night brings rows, so that a night without any is a late source.
            Reference data land when they change, and a night in twelve has no new seller.
    """

    name: str
    file_name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    has_byte_order_mark: bool = False
    ends_with_line_break: bool = True
    is_nightly: bool = True

    @property
    def header(self) -> tuple[str, ...]:
        """Column names in the file's order."""
        return tuple(column.name for column in self.columns)


def _columns(*names: str, **pii: PiiClass) -> tuple[Column, ...]:
    return tuple(Column(name, pii.get(name, PiiClass.NONE)) for name in names)


# What every raw table has besides: landing-relative path, number of the record in its file from 1,
# and when the file was loaded, UTC.
SOURCE_FILE, SOURCE_ROW, LOADED_AT = "_source_file", "_source_row", "_loaded_at"

CATALOG: tuple[Dataset, ...] = (
    Dataset(
        "customers",
        "olist_customers_dataset.csv",
        _columns(
            "customer_id",
            "customer_unique_id",
            "customer_zip_code_prefix",
            "customer_city",
            "customer_state",
            customer_unique_id=PiiClass.PERSON_IDENTIFIER,
            customer_zip_code_prefix=PiiClass.LOCATION,
            customer_city=PiiClass.LOCATION,
        ),
        ("customer_id",),
    ),
    Dataset(
        "orders",
        "olist_orders_dataset.csv",
        _columns(
            "order_id",
            "customer_id",
            "order_status",
            "order_purchase_timestamp",
            "order_approved_at",
            "order_delivered_carrier_date",
            "order_delivered_customer_date",
            "order_estimated_delivery_date",
        ),
        ("order_id",),
    ),
    Dataset(
        "order_items",
        "olist_order_items_dataset.csv",
        _columns(
            "order_id",
            "order_item_id",
            "product_id",
            "seller_id",
            "shipping_limit_date",
            "price",
            "freight_value",
        ),
        ("order_id", "order_item_id"),
    ),
    Dataset(
        "payments",
        "olist_order_payments_dataset.csv",
        _columns(
            "order_id",
            "payment_sequential",
            "payment_type",
            "payment_installments",
            "payment_value",
        ),
        ("order_id", "payment_sequential"),
    ),
    Dataset(
        "reviews",
        "olist_order_reviews_dataset.csv",
        _columns(
            "review_id",
            "order_id",
            "review_score",
            "review_comment_title",
            "review_comment_message",
            "review_creation_date",
            "review_answer_timestamp",
            review_comment_title=PiiClass.FREE_TEXT,
            review_comment_message=PiiClass.FREE_TEXT,
        ),
        ("review_id", "order_id"),
    ),
    Dataset(
        "products",
        "olist_products_dataset.csv",
        _columns(
            "product_id",
            "product_category_name",
            "product_name_lenght",
            "product_description_lenght",
            "product_photos_qty",
            "product_weight_g",
            "product_length_cm",
            "product_height_cm",
            "product_width_cm",
        ),
        ("product_id",),
    ),
    Dataset(
        "sellers",
        "olist_sellers_dataset.csv",
        _columns(
            "seller_id",
            "seller_zip_code_prefix",
            "seller_city",
            "seller_state",
            seller_zip_code_prefix=PiiClass.LOCATION,
            seller_city=PiiClass.LOCATION,
        ),
        ("seller_id",),
        is_nightly=False,
    ),
    Dataset(
        "geolocation",
        "olist_geolocation_dataset.csv",
        _columns(
            "geolocation_zip_code_prefix",
            "geolocation_lat",
            "geolocation_lng",
            "geolocation_city",
            "geolocation_state",
        ),
        (),
        is_nightly=False,
    ),
    Dataset(
        "category_translation",
        "product_category_name_translation.csv",
        _columns("product_category_name", "product_category_name_english"),
        ("product_category_name",),
        has_byte_order_mark=True,
        ends_with_line_break=False,
        is_nightly=False,
    ),
)

_BY_NAME = {dataset.name: dataset for dataset in CATALOG}


def dataset_named(name: str) -> Dataset:
    """Return the dataset of that name.

    Raises:
        OlistError: The catalog has no such dataset.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise OlistError(
            f"unknown dataset '{name}'", f"the catalog has: {', '.join(_BY_NAME)}"
        ) from None
