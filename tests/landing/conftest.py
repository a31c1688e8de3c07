import csv
import gzip
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from olist_platform.repository import repository_root
from olist_platform.source_catalog import CATALOG, dataset_named

Rows = Sequence[Sequence[str]]

# order_id, customer_id, status, purchased, approved, shipped, delivered, estimated
ORDERS: Rows = [
    ["usual", "c1", "delivered", "2018-01-01 10:00:00", "2018-01-02 00:00:00",
     "2018-01-03 09:00:00", "2018-01-05 23:59:59", "2018-01-20 00:00:00"],
    ["one-day", "c2", "delivered", "2018-01-02 08:00:00", "2018-01-02 09:00:00",
     "2018-01-02 10:00:00", "2018-01-02 11:00:00", "2018-01-20 00:00:00"],
    ["shipped-before-purchase", "c3", "shipped", "2018-01-04 10:00:00", "2018-01-05 10:00:00",
     "2018-01-02 10:00:00", "", "2018-01-20 00:00:00"],
    ["canceled", "c4", "canceled", "2018-01-03 10:00:00", "", "", "", "2018-01-20 00:00:00"],
    ["invoiced", "c5", "invoiced", "2018-01-03 10:00:00", "2018-01-04 10:00:00", "", "",
     "2018-01-20 00:00:00"],
    ["bad-purchase", "c6", "delivered", "yesterday", "", "2018-01-04 10:00:00",
     "2018-02-30 10:00:00", "2018-01-20 00:00:00"],
    ["no-dates", "c7", "unavailable", "", "", "", "", ""],
    ["twice", "c8", "shipped", "2018-01-02 10:00:00", "", "2018-01-06 10:00:00", "", ""],
    ["", "c9", "delivered", "2018-01-02 10:00:00", "2018-01-03 10:00:00", "", "", ""],
    ["twice", "c8", "delivered", "2018-01-01 10:00:00", "2018-01-02 10:00:00", "", "", ""],
    ["next-century", "c10", "shipped", "2018-01-01 10:00:00", "", "2918-01-01 10:00:00", "", ""],
]  # fmt: skip

SMALL: dict[str, Rows] = {
    "customers": [[f"c{n}", f"person{n}", f"0{n:04d}", "são paulo", "SP"] for n in range(1, 12)],
    "orders": ORDERS,
    "order_items": [
        ["usual", "1", "p1", "s1", "2018-01-09 00:00:00", "10.00", "1.10"],
        ["usual", "2", "p2", "s1", "2018-01-09 00:00:00", "010.0", "1e1"],
        ["one-day", "1", "p1", "s2", "2018-01-09 00:00:00", "5", ""],
        ["no-such-order", "1", "p3", "s1", "2018-01-09 00:00:00", "7.00", "1.00"],
        ["no-dates", "1", "p2", "s2", "2018-01-09 00:00:00", "8.00", "1.00"],
    ],
    "payments": [
        ["usual", "1", "voucher", "1", "20.00"],
        ["no-such-order", "1", "boleto", "1", "9.00"],
    ],
    "reviews": [
        ["r1", "usual", "5", "", 'Muito "bom", gostei\nlinha 2\r\nlinha 3 😀',
         "2018-01-06 00:00:00", "2018-01-08 12:00:00"],
        ["r2", "one-day", "1", "", " spaces kept ", "2018-01-03 00:00:00", ""],
        ["r3", "usual", "2", "", "", "", ""],
        ["r3", "no-such-order", "2", "", "", "", ""],
        ["r4", "canceled", "3", "first", "", "2018-01-04 00:00:00", "2018-01-07 12:00:00"],
        ["r4", "canceled", "4", "second", "", "2018-01-04 00:00:00", "2018-01-05 12:00:00"],
    ],
    "products": [[f"p{n}", "artes", "40", *["1"] * 6] for n in range(1, 5)],
    "sellers": [[f"s{n}", "01001", "são paulo", "SP"] for n in range(1, 4)],
    "geolocation": [["01001", "-23.5", "-46.6", "sao paulo", "SP"]] * 3,
    "category_translation": [["artes", "art"], ["bebes", "baby"]],
}  # fmt: skip


def csv_bytes(name: str, rows: Rows) -> bytes:
    dataset = dataset_named(name)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(dataset.header)
    writer.writerows(rows)
    return ("\ufeff" if dataset.has_byte_order_mark else "").encode() + text.getvalue().encode()


def write_source(folder: Path, tables: dict[str, Rows]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for dataset in CATALOG:
        if dataset.name in tables:
            content = csv_bytes(dataset.name, tables[dataset.name])
            (folder / dataset.file_name).write_bytes(content)
    return folder


@pytest.fixture
def small_source(tmp_path: Path) -> Path:
    """All nine files, a few rows each, among them everything that is odd about dates."""
    return write_source(tmp_path / "source", SMALL)


@pytest.fixture
def make_source(tmp_path: Path) -> Callable[[dict[str, Rows]], Path]:
    return lambda tables: write_source(tmp_path / "other-source", tables)


@pytest.fixture
def sample() -> Path:
    configured = os.environ.get("OLIST_SAMPLE")
    folder = Path(configured) if configured else repository_root().parent / "shared/olist-sample"
    if not (folder / "olist_orders_dataset.csv").is_file():
        pytest.skip(f"the real sample is not at {folder}; set OLIST_SAMPLE to its folder")
    return folder


@pytest.fixture
def landed_rows() -> Callable[[Path, str], dict[str, list[dict[str, str]]]]:
    """Rows of a dataset by day, as any CSV reader sees them."""

    def read(landing: Path, dataset: str) -> dict[str, list[dict[str, str]]]:
        days = {}
        for path in sorted(landing.glob(f"{dataset}/dt=*/*.gz")):
            text = gzip.decompress(path.read_bytes()).decode("utf-8-sig")
            rows = list(csv.DictReader(io.StringIO(text, newline="")))
            days[path.parent.name.removeprefix("dt=")] = rows
        return days

    return read
