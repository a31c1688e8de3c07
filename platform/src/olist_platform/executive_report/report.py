"""What a report says, in words: everything is written here, so that text and HTML cannot differ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from olist_platform.alerts.kinds import Severity
from olist_platform.alerts.outbox import StoredAlert
from olist_platform.alerts.wording import moment_text
from olist_platform.dashboards.catalog import load_dashboards
from olist_platform.dashboards.description import Dashboard, Format, Role, TileColumn
from olist_platform.dashboards.page_content import MartFreshness, read_freshness
from olist_platform.dashboards.published_marts import Publication, PublishedMarts
from olist_platform.dashboards.written_values import NOTHING, Numbers, written
from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.executive_report.report_chart import ReportChart, draw_chart
from olist_platform.executive_report.report_figures import (
    BeyondLimits,
    Figure,
    Row,
    read_beyond_limits,
    read_figures,
    read_forecast,
    read_running_month,
)
from olist_platform.executive_report.report_period import (
    ReportKind,
    ReportPeriod,
    period_ending,
)
from olist_platform.project_vars import project_vars

_EXECUTIVE = "executive_performance"
_HEADLINE_TILE, _ORDERS_TILE, _ON_TIME_TILE = "gmv", "orders", "on_time"
_DELIVERED_SHARE = "delivered_share"
_ALERTS_SHOWN = 6
_STALE = "stale"

Tone = Literal["good", "bad", "plain"]


@dataclass(frozen=True, slots=True)
class Said:
    """A few words, and whether they are good news."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class FigureLine:
    """A key figure in words.

    Attributes:
        name: Its tile.
        title: What it is.
        value: The figure.
        before: That of the period before.
        changes: How far it moved.
        details: What is said beside it.
        target: Whether it meets its target; None where nothing is said or known.
    """

    name: str
    title: str
    value: str
    before: str
    changes: Sequence[Said]
    details: Sequence[str]
    target: Said | None


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An open alert, or a period beyond its limits."""

    mark: str
    title: str
    text: str
    is_urgent: bool


@dataclass(frozen=True, slots=True)
class Link:
    """A dashboard and where it is."""

    title: str
    target: str
    is_web_address: bool


@dataclass(frozen=True, slots=True)
class ExecutiveReport:
    """A report, ready to be laid out.

    Attributes:
        environment: Whose figures.
        period: Of which period.
        title: What it is: kind and period.
        headline: GMV; None where the period has no figures.
        figures: The other key figures.
        unknown: Titles of figures that nothing is known of yet.
        forecast: What is expected of the next month.
        running_month: How the month stands that has not ended.
        chart: GMV over time; None where there is none.
        limits: Weeks and months beyond their limits.
        alerts: Open alerts of the platform, the worst first.
        more_alerts: How many more are open.
        warnings: Why the figures may be old.
        links: Where more is to be read.
        origin: When they were published and by which dbt invocation.
        day: Local day on which the figures were published; there is one report a day.
    """

    environment: str
    period: ReportPeriod
    title: str
    headline: FigureLine | None
    figures: Sequence[FigureLine]
    unknown: Sequence[str]
    forecast: str | None
    running_month: str | None
    chart: ReportChart | None
    limits: Sequence[AlertLine]
    alerts: Sequence[AlertLine]
    more_alerts: int
    warnings: Sequence[str]
    links: Sequence[Link]
    origin: str
    day: date

    @property
    def summary(self) -> str:
        """What a mail client shows beside the subject."""
        parts = []
        if self.headline:
            moves = ", ".join(change.text for change in self.headline.changes)
            parts.append(f"GMV {self.headline.value}" + (f" ({moves})" if moves else ""))
        else:
            parts.append("No figures for this period")
        known = [*([self.headline] if self.headline else []), *self.figures]
        missed = [line.title for line in known if line.target and line.target.tone == "bad"]
        parts.append(f"off target: {', '.join(missed)}" if missed else "no target is missed")
        open_alerts = len(self.alerts) + self.more_alerts
        parts.append(f"{open_alerts} open {'alert' if open_alerts == 1 else 'alerts'}")
        return "; ".join(parts) + "."


def compose_report(
    environment: Environment,
    marts: PublishedMarts,
    open_alerts: Sequence[StoredAlert],
    now: datetime,
    *,
    numbers: Numbers,
    reference: date | None = None,
) -> ExecutiveReport:
    """Put a report into words.

    Args:
        environment: Whose report.
        marts: What it has published.
        open_alerts: Its open alerts.
        now: The moment, with a time zone; by it figures are old.
        numbers: Whose signs numbers have.
        reference: Day whose report it is; the reference date of what is published unless told.

    Raises:
        OlistError: A description does not fit dbt, or what is published has no reference date.
    """
    dashboards = load_dashboards()
    dashboard = next(one for one in dashboards if one.name == _EXECUTIVE)
    publication = marts.publication()
    reference = reference or publication.as_of_date
    if reference is None:
        raise OlistError(
            "the published marts have no reference date: they are empty",
            "run the production DAG, which refuses to publish empty marts",
        )
    period = period_ending(reference)
    words = _Words(numbers, period)
    found = read_figures(dashboard, marts, period)
    known = [figure for figure in found if figure.row[figure.value.key] is not None]
    lines = [words.line(figure) for figure in known]
    forecast = read_forecast(dashboard, marts)
    told = [each for each in open_alerts if not each.is_part_of_its_root]
    told.sort(key=lambda each: (each.alert.severity.rank, each.first_raised_at))
    zone = environment.alerts.zone
    return ExecutiveReport(
        environment=environment.name.value,
        period=period,
        title=f"{period.kind.report_title}: {words.period_text()}",
        headline=next((line for line in lines if line.name == _HEADLINE_TILE), None),
        figures=[line for line in lines if line.name != _HEADLINE_TILE],
        unknown=[figure.tile.title for figure in found if figure not in known],
        forecast=words.forecast(forecast) if forecast else None,
        running_month=words.running_month(read_running_month(dashboard, marts, reference)),
        chart=draw_chart(dashboard, marts, period, numbers),
        limits=[*words.limits(read_beyond_limits(dashboard, marts, reference))],
        alerts=[_alert_line(each, environment) for each in told[:_ALERTS_SHOWN]],
        more_alerts=max(len(told) - _ALERTS_SHOWN, 0),
        warnings=[
            *words.few_orders_warnings(known, project_vars()["kpi_alert_minimum_orders"]),
            *words.under_way_warnings(known),
            *words.age_warnings(publication, environment.monitoring.published_within_hours, now),
            *words.mart_warnings(read_freshness(dashboard, marts)),
        ],
        links=[_link(environment, one) for one in dashboards],
        origin=words.origin(publication),
        day=publication.published_at.astimezone(zone).date(),
    )


class _Words:
    """The words of one period."""

    def __init__(self, numbers: Numbers, period: ReportPeriod) -> None:
        self._numbers = numbers
        self._period = period

    def value(self, row: Row, column: TileColumn) -> str:
        return written(row[column.key], column.format, self._numbers)

    def period_text(self) -> str:
        period = self._period
        match period.kind:
            case ReportKind.MONTHLY:
                return written(period.start.isoformat(), Format.MONTH, self._numbers)
            case ReportKind.WEEKLY:
                return f"{self._day(period.start)} {NOTHING} {self._day(period.end)}"
            case _:
                return self._day(period.end)

    def line(self, figure: Figure) -> FigureLine:
        tile = figure.tile
        meets = figure.meets_its_target
        target = None
        # A plain number says of what it is one.
        said_of = [figure.value.label] if figure.value.format is Format.NUMBER else []
        if tile.target and meets is not None:
            # "92,0% is off at least 92 %" would be read as a mistake.
            barely = "" if figure.shows_its_side else ", by less than is shown"
            label = f"{tile.target.label}{barely}"
            target = (
                Said(f"\u2713 target: {label}", "good")
                if meets
                else Said(f"\u2717 off target: {label}", "bad")
            )
        return FigureLine(
            name=tile.name,
            title=tile.title,
            value=self.value(figure.row, figure.value),
            before=self.value(figure.before, figure.value) if figure.before else NOTHING,
            changes=[*self._changes(figure)],
            details=[
                *said_of,
                *(
                    f"{column.label}: {self.value(figure.row, column)}"
                    for column in tile.of_role(Role.DETAIL)
                    if figure.row[column.key] is not None
                ),
            ],
            target=target,
        )

    def _changes(self, figure: Figure) -> Iterator[Said]:
        for column in figure.tile.of_role(Role.CHANGE):
            change = figure.row[column.key]
            if isinstance(change, int | float):
                # As it is written: what is rounded to 0 has not moved.
                text = self.value(figure.row, column)
                is_up, is_down = text.startswith("+"), text.startswith("-")
                arrow = "\u25b2" if is_up else "\u25bc" if is_down else "="
                # The dashboard's words are those of months.
                label = column.label[0].lower() + column.label[1:]
                label = label.replace("month", self._period.kind.value)
                tone: Tone = "good" if is_up else "bad" if is_down else "plain"
                yield Said(f"{arrow} {text} {label}", tone)

    def forecast(self, figure: Figure) -> str:
        month = self.value(figure.row, figure.tile.only(Role.TIME))
        lower, upper = (
            self.value(figure.row, figure.tile.only(role)) for role in (Role.LOWER, Role.UPPER)
        )
        expected = f"GMV of {month} is expected at {self.value(figure.row, figure.value)}"
        # What is forecast from too few months has no interval.
        return (
            f"{expected}; an interval is not known yet."
            if NOTHING in (lower, upper)
            else f"{expected}, with 80 % between {lower} and {upper}."
        )

    def running_month(self, figures: Sequence[Figure]) -> str | None:
        if not figures:
            return None
        month = self.value(figures[0].row, figures[0].tile.only(Role.TIME))
        parts = [
            f"{figure.value.label} {self.value(figure.row, figure.value)}" for figure in figures
        ]
        return f"{month} so far: {', '.join(parts)}."

    def limits(self, beyond: BeyondLimits) -> Iterator[AlertLine]:
        for row in beyond.rows:
            day = written(row["period_start"], Format.DATE, self._numbers)
            month = written(row["period_start"], Format.MONTH, self._numbers)
            of_month = row["period_type"] == ReportKind.MONTHLY.value
            yield AlertLine(
                mark="Limit",
                title=month if of_month else f"Week from {day}",
                text=str(row["alert_reasons"]),
                is_urgent=False,
            )

    def age_warnings(
        self, publication: Publication, old_after_hours: float | None, now: datetime
    ) -> Iterator[str]:
        age = now - publication.published_at
        if old_after_hours is not None and age > timedelta(hours=old_after_hours):
            yield (
                f"These figures are old: they were published {_age_text(age)} ago,"
                f" on {self._moment(publication.published_at)}."
            )

    def few_orders_warnings(self, figures: Sequence[Figure], minimum: int) -> Iterator[str]:
        """Say that a period is not to be judged, as where an extract of data ends."""
        for figure in figures:
            orders = figure.row[figure.value.key]
            if figure.tile.name == _ORDERS_TILE and isinstance(orders, int) and orders < minimum:
                yield (
                    f"Few orders in this {self._period.kind.value}:"
                    f" {self.value(figure.row, figure.value)}. Figures, changes and targets of"
                    f" fewer than {minimum} say little; maybe the data end here."
                )

    def under_way_warnings(self, figures: Sequence[Figure]) -> Iterator[str]:
        """Say that most is not delivered yet: fast deliveries are known first."""
        for figure in figures:
            if figure.tile.name == _ON_TIME_TILE and figure.meets_its_target is None:
                [delivered] = (one for one in figure.tile.columns if one.key == _DELIVERED_SHARE)
                yield (
                    f"Only {self.value(figure.row, delivered)} of the orders of this"
                    f" {self._period.kind.value} are delivered: on time, days to the door and"
                    " review score are those of the fast ones. They are going to get worse, and"
                    " are not held against their targets yet."
                )

    def mart_warnings(self, freshness: Sequence[MartFreshness]) -> Iterator[str]:
        for one in freshness:
            if one.status == _STALE:
                newest = written(one.newest_business_date, Format.DATE, self._numbers)
                yield f"{one.mart} lies behind: its newest day is {newest}."

    def origin(self, publication: Publication) -> str:
        as_of = publication.as_of_date
        day = self._day(as_of) if as_of else NOTHING
        invocation = publication.dbt_invocation_id or "unknown"
        return (
            f"Figures as of {day}, published {self._moment(publication.published_at)}"
            f" (S\u00e3o Paulo), dbt invocation {invocation}."
        )

    def _day(self, day: date) -> str:
        return written(day.isoformat(), Format.DATE, self._numbers)

    def _moment(self, moment: datetime) -> str:
        return written(moment.astimezone(UTC).isoformat(), Format.MOMENT, self._numbers)


def _alert_line(stored: StoredAlert, environment: Environment) -> AlertLine:
    alert = stored.alert
    since = moment_text(stored.first_raised_at, environment.alerts)
    return AlertLine(
        mark=alert.severity.value.capitalize(),
        title=f"{alert.kind.label}: {alert.subject}",
        text=f"{alert.summary} Since {since}.",
        is_urgent=alert.severity in (Severity.CRITICAL, Severity.HIGH),
    )


def _link(environment: Environment, dashboard: Dashboard) -> Link:
    address = environment.dashboards.address
    target = (
        f"{address}/{dashboard.web_page}"
        if address
        else f"data/{environment.name}/dashboards/{dashboard.web_page}"
    )
    return Link(dashboard.title, target, address is not None)


def _age_text(age: timedelta) -> str:
    hours = int(age / timedelta(hours=1))
    return f"{age.days} days" if age.days > 1 else f"{hours} hours"
