"""Ratios of `olist bench` beside what is aimed at; the measuring itself is `make bench`."""

import pytest
from rich.console import Console

from olist_platform.benchmarks import Ratio
from olist_platform.cli.bench import ratio_table


@pytest.mark.parametrize(
    ("seconds", "aim", "misses"),
    [(130, 1.3, False), (131, 1.3, True), (500, None, False)],
)
def test_a_ratio_above_its_aim_misses_it(seconds: float, aim: float | None, misses: bool) -> None:
    ratio = Ratio("orchestration", "DAG run", seconds, "plain dbt build", 100, aim=aim)
    assert ratio.value == seconds / 100
    assert ratio.misses_its_aim is misses


def test_the_table_says_which_aims_are_missed() -> None:
    ratios = [
        Ratio("orchestration", "DAG run", 300, "plain dbt build", 100, aim=1.3),
        Ratio("growth", "per order", 21, "per order before", 100, aim=1),
        Ratio("load", "olist load", 225, "scan", 100),
    ]
    console = Console(width=120)
    with console.capture() as printed:
        console.print(ratio_table(ratios, "1,000 orders"))
    rows = [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in printed.get().splitlines()
        if line.startswith("│")
    ]
    assert [(row[0], *row[3:]) for row in rows] == [
        ("orchestration", "3.00", "missed: 1.3"),
        ("growth", "0.21", "1"),
        ("load", "2.25", ""),
    ]
