"""A figure of a back-test, and what it is to be read beside."""

from dataclasses import dataclass
from enum import StrEnum


class Area(StrEnum):
    """What a figure is about, in the order of the report."""

    CHURN = "churn"
    PURCHASES = "purchases"
    SPEND = "spend"
    LIFETIME_VALUE = "lifetime value"
    FORECAST = "forecast"
    ANOMALIES = "anomalies and fraud"
    RETENTION = "retention and payback"
    SEGMENTS = "segments"


class Outcome(StrEnum):
    """How a figure stands against what is wanted of it."""

    HOLDS = "holds"
    FAILS = "fails"
    FALLS_BACK = "falls back"
    TOO_THIN = "too thin"
    NOT_TRIED = "not tried"
    NOT_JUDGED = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report.

    Attributes:
        area: What it is about.
        name: What was measured, with its unit.
        value: The figure; None where data are too thin.
        baseline_name: What it is beside; empty where nothing simpler is known.
        baseline: The figure of that.
        wanted: What is wanted of it, in words.
        outcome: How it stands.
    """

    area: Area
    name: str
    value: float | None
    baseline_name: str = ""
    baseline: float | None = None
    wanted: str = ""
    outcome: Outcome = Outcome.NOT_JUDGED


def judged(holds: bool) -> Outcome:
    """Return the outcome of a condition."""
    return Outcome.HOLDS if holds else Outcome.FAILS


def too_thin(area: Area, name: str, why: str) -> Figure:
    """Return the line that says that data are too thin for a figure."""
    return Figure(area, name, None, wanted=why, outcome=Outcome.TOO_THIN)
