"""However files arrive, an incremental warehouse equals one built anew from the same raw."""

import csv
import gzip
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from olist_workspace import Workspace
from warehouse_contents import differences, warehouse_contents

pytestmark = pytest.mark.slow

Row = dict[str, str]


@pytest.fixture(scope="module")
def nightly_files(make_workspace: Callable[[str], Workspace]) -> Path:
    """A landing of two months, day by day, and of nights that correct what was landed before."""
    workspace = make_workspace("nightly_files")
    files = workspace.home / "files"
    workspace.olist(
        "generate", files, "--orders", "250", "--from", "2018-05-01", "--to", "2018-06-30"
    )
    workspace.olist("land", files, "--daily")
    Corrections(files, workspace.landing).write()
    return workspace.landing


class Corrections:
    """Later nights that say something else of records that are long loaded."""

    def __init__(self, files: Path, landing: Path) -> None:
        self._landing = landing
        self._rows = {}
        for path in files.glob("*.csv"):
            with path.open(encoding="utf-8-sig", newline="") as file:
                self._rows[path.name] = list(csv.DictReader(file))

    def write(self) -> None:
        orders = self._rows["olist_orders_dataset.csv"]
        with_items = {row["order_id"] for row in self._rows["olist_order_items_dataset.csv"]}
        corrected, moved, garbled, mended, reviewed = [
            row for row in orders if row["order_id"] in with_items
        ][10:15]
        self._night("orders", "2018-09-01", [
            moved | {"order_purchase_timestamp": "2018-05-03 10:00:00"},
            garbled | {"order_purchase_timestamp": "2018-13-45 10:00:00"},
            mended | {"order_purchase_timestamp": "soon"},
        ])  # fmt: skip
        self._night("orders", "2018-09-02", [mended | {"order_status": "canceled"}])
        items = self._rows["olist_order_items_dataset.csv"]
        (item, *_) = [row for row in items if row["order_id"] == corrected["order_id"]]
        self._night("order_items", "2018-09-01", [item | {"price": "1234.56"}])
        self._night("order_items", "2018-09-02", [
            row | {"price": "free"} for row in items if row["order_id"] == moved["order_id"]
        ])  # fmt: skip
        payments = self._rows["olist_order_payments_dataset.csv"]
        self._night("payments", "2018-09-03", [payments[3] | {"payment_value": "0.01"}])
        self._night("reviews", "2018-09-21", [{
            "review_id": "late", "order_id": reviewed["order_id"], "review_score": "1",
            "review_comment_title": "", "review_comment_message": "",
            "review_creation_date": "2018-09-20 00:00:00",
            "review_answer_timestamp": "2018-09-20 10:00:00",
        }])  # fmt: skip
        customers = self._rows["olist_customers_dataset.csv"]
        self._night("customers", "2018-09-01", [customers[5] | {"customer_state": "AC"}])
        products = {row["product_id"]: row for row in self._rows["olist_products_dataset.csv"]}
        product = products[item["product_id"]] | {"product_category_name": "automotivo"}
        self._night("products", "2018-09-01", [product])
        sellers = {row["seller_id"]: row for row in self._rows["olist_sellers_dataset.csv"]}
        self._night("sellers", "2018-09-01", [sellers[item["seller_id"]] | {"seller_state": "AM"}])

    def _night(self, dataset: str, day: str, rows: Sequence[Row]) -> None:
        path = self._landing / dataset / f"dt={day}" / "correction.csv.gz"
        path.parent.mkdir(parents=True)
        with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


# What dbt does after each batch of files. What is not incremental is made anew from the rest, so in
# between it may wait.
EVERYTHING = ("build", "--exclude-resource-type", "test", "unit_test")
INCREMENTAL = ("run", "--select", "config.materialized:incremental")
RUNS = (EVERYTHING, INCREMENTAL, INCREMENTAL, EVERYTHING)
QUALITY = "select * from monitoring.monitoring_data_quality order by dataset"


@settings(
    max_examples=2,
    derandomize=True,
    database=None,
    # An example takes a minute: a failure is told as it is, not shrunk for an hour.
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(chance=st.randoms(use_true_random=False))
def test_any_split_and_order_of_arrival(
    make_workspace: Callable[[str], Workspace], nightly_files: Path, chance: Any
) -> None:
    workspace = make_workspace("arrival")
    names = sorted(path.relative_to(nightly_files) for path in nightly_files.rglob("*.csv.gz"))
    # Places and translations have no versions of a day: they are there from the start.
    batch_of = {name: chance.randrange(len(RUNS)) for name in names}
    for batch in range(len(RUNS)):
        for name in names:
            if batch_of[name] == batch or (batch == 0 and "dt=2018-05-02" in str(name)):
                (workspace.landing / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(nightly_files / name, workspace.landing / name)
        workspace.olist("load")
        workspace.olist("dbt", "--", *RUNS[batch], "--quiet")
    increments = warehouse_contents(workspace)
    quality = workspace.rows(QUALITY)
    workspace.olist("dbt", "--", "run", "--quiet", "--full-refresh")
    assert differences(increments, warehouse_contents(workspace)) == {}
    assert workspace.rows(QUALITY) == quality
    assert workspace.rows("select count(*) from marts.mart_executive_kpis")[0][0] > 60
    assert (
        workspace.rows(
            "select count(*) from staging.stg_quarantine where dataset in ('orders', 'order_items')"
        )[0][0]
        >= 2
    )
    # One is refused for good, one came back canceled, one moved and lost its items.
    assert workspace.rows(
        "select count(*) from intermediate.int_order_facts where not is_in_staging"
    ) == [(1,)]


def test_a_run_of_a_part_hides_nothing_from_the_other_part(
    copy_of_generated: Callable[[str], Workspace],
) -> None:
    """A product and its category's name come together, and only the product's model is run."""
    workspace = copy_of_generated("part")
    category = "product_category_name = 'cama_mesa_banho'"
    later = (
        "_source_file = replace(_source_file, 'dt=20', 'dt=21'),"
        " _loaded_at = (select max(_loaded_at) + interval 1 hour from raw.orders)"
    )
    workspace.change(
        f"create temp table named as from raw.category_translation where {category}",
        f"create temp table weighed as from raw.products where {category}",
        f"update named set product_category_name_english = 'linen', {later}",
        f"update weighed set product_weight_g = '1', {later}",
        "insert into raw.category_translation from named",
        "insert into raw.products from weighed",
    )
    cells = "select category, sum(items) from int_sales_cells group by category order by category"
    before = workspace.rows(cells)
    (bed_bath_table,) = [items for category, items in before if category == "bed_bath_table"]
    workspace.olist("dbt", "--", "run", "--quiet", "--select", "base_products+")
    assert workspace.rows(cells) == before
    workspace.olist("dbt", "--", *INCREMENTAL, "--quiet")
    after = dict(workspace.rows(cells))
    assert after["linen"] == bed_bath_table
    assert "bed_bath_table" not in after
