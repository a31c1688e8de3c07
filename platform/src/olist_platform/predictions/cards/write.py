"""Writes the cards of an environment's models."""

import math
from pathlib import Path

from jinja2 import Environment as Templates
from jinja2 import PackageLoader, StrictUndefined

from olist_platform.errors import os_errors_explained
from olist_platform.predictions.backtest.figures import Area
from olist_platform.predictions.backtest.run import Backtest
from olist_platform.predictions.cards.pictures import draw_pictures
from olist_platform.predictions.cards.texts import CARDS, CardText
from olist_platform.predictions.model_fit import Estimate
from olist_platform.repository import repository_root

_THOUSAND = 1000


def cards_folder() -> Path:
    """Folder of the cards in the documentation."""
    return repository_root() / "platform" / "docs" / "models"


def write_cards(backtest: Backtest, folder: Path, data: str) -> list[Path]:
    """Write one page for each model, and its plots beside it.

    Args:
        backtest: What was found; equal findings give equal files.
        folder: Where.
        data: What the data are, in words.

    Returns:
        The pages.

    Raises:
        OlistError: The folder cannot be written.
    """
    templates = Templates(  # noqa: S701 - Markdown, made of our own words and numbers
        loader=PackageLoader("olist_platform.predictions.cards"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    template = templates.get_template("card.md.jinja")
    pages = []
    with os_errors_explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for text in CARDS:
            page = template.render(
                text=text,
                data=data,
                backtest=backtest,
                scoring=backtest.scoring.get(text.model) if text.model else None,
                figures=[line for line in backtest.figures if line.area in _areas(text)],
                pictures=draw_pictures(backtest, text.area, folder),
                regions=_regions(backtest, text.area),
                number=_number,
                interval=lambda estimate, text=text: _interval(estimate, text),
            )
            path = folder / f"{text.file}.md"
            path.write_text(page.rstrip() + "\n", encoding="utf-8")
            pages.append(path)
    return pages


def _areas(text: CardText) -> tuple[Area, ...]:
    return (Area.RETENTION, Area.SEGMENTS) if text.area is Area.SEGMENTS else (text.area,)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    is_count = abs(value) >= _THOUSAND and value == int(value)
    return f"{value:,.0f}" if is_count else f"{value:.4g}"


def _interval(estimate: Estimate, text: CardText) -> str:
    assert text.model is not None  # noqa: S101 - only fitted models have estimates
    found = estimate.interval_95(is_positive=text.model.has_positive_parameters)
    return "unknown" if found is None else f"{found[0]:.4g} to {found[1]:.4g}"


def _regions(backtest: Backtest, area: Area) -> list[tuple[str, ...]]:
    """Return a table, its head first; nothing where nothing is known by region."""
    rows: list[tuple[str, ...]]
    if area is Area.CHURN and backtest.churn.regions:
        rows = [
            (
                each.region,
                f"{each.people:,}",
                f"{each.predicted:.4f}",
                f"{each.observed:.4f}",
                f"{each.lower_95:.4f} to {each.upper_95:.4f}",
                "" if math.isnan(each.auc) else _number(each.auc),
            )
            for each in backtest.churn.regions
        ]
        return [("region", "people", "expected back", "came back", "95 % interval", "AUC"), *rows]
    if area is Area.LIFETIME_VALUE and backtest.lifetime_value.by_region:
        rows = [
            (region, f"{predicted:,.2f}", f"{actual:,.2f}")
            for region, predicted, actual in backtest.lifetime_value.by_region
        ]
        return [("region", "predicted margin", "actual margin"), *rows]
    if area is Area.ANOMALIES and backtest.frauds.kinds:
        rows = [
            (
                each.region,
                f"{each.orders:,}",
                f"{each.alerted:.4f}",
                f"{each.lower_95:.4f} to {each.upper_95:.4f}",
            )
            for each in backtest.frauds.regions
        ]
        return [("region", "honest orders", "share with an alert", "95 % interval"), *rows]
    if area is Area.FORECAST:
        rows = [
            (
                each.name,
                each.method,
                _number(each.candidate_mape),
                _number(each.naive_mape),
                _number(each.mape),
                _number(each.coverage_80),
                _number(each.coverage_95),
            )
            for each in backtest.forecasts.series
            if each.level == "region"
        ]
        head = (
            *("region", "forecast by", "MAPE of the moving average", "last month", "published"),
            *("in the 80 % interval", "in the 95 % interval"),
        )
        return [head, *rows] if rows else []
    return []
