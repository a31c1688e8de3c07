"""One alert: what happened to what, how bad it is, whose it is, and where to look."""

import hashlib
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from olist_platform.alerts.kinds import AlertKind, Severity, Signal
from olist_platform.alerts.pii_guard import masked, personal_data_in_link
from olist_platform.naming import EnvironmentName

_MOST_DETAILS = 5
_FEWEST_PLACES, _MOST_PLACES = 2, 9
_LONGEST = {"name": 120, "sentence": 600, "detail": 300}


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _one_line(text: str, limit: int) -> str:
    return _shortened(" ".join(masked(text).split()), limit)


def _name(text: str) -> str:
    return _one_line(text, _LONGEST["name"])


def _sentence(text: str) -> str:
    return _one_line(text, _LONGEST["sentence"])


def _most_telling(lines: tuple[str, ...]) -> tuple[str, ...]:
    kept = [_one_line(line, _LONGEST["detail"]) for line in lines[:_MOST_DETAILS]]
    if more := len(lines) - len(kept):
        kept.append(f"and {more} more")
    return tuple(kept)


def _link(url: str | None) -> str | None:
    if url is not None and (found := personal_data_in_link(url)):
        raise ValueError(f"a link must not hold {found}")
    return url


Name = Annotated[str, Field(min_length=1), AfterValidator(_name)]
Sentence = Annotated[str, Field(min_length=1), AfterValidator(_sentence)]
Link = Annotated[str | None, Field(pattern=r"^https?://\S+$"), AfterValidator(_link)]
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class Measurement(BaseModel):
    """A figure against what is expected of it.

    Attributes:
        value: What was measured, in `unit`.
        at_least: Smallest value that is fine; None for no bound.
        at_most: Largest value that is fine; None for no bound.
        unit: Unit as people read it: "BRL", "rows", "hours"; "%" for percent.
    """

    # A figure that is none becomes null in JSON, and could not be read back.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    value: float
    at_least: float | None = None
    at_most: float | None = None
    unit: Name

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("a measurement needs at_least or at_most")
        return self

    def describe_value(self) -> str:
        """The value as people read it: `3,120 rows`."""
        return self._with_unit(self._figure(self.value))

    def describe_expectation(self) -> str:
        """What is expected as people read it: `5,400 to 7,900 rows`."""
        match self.at_least, self.at_most:
            case None, float(most):
                return f"at most {self._with_unit(self._figure(most))}"
            case float(least), None:
                return f"at least {self._with_unit(self._figure(least))}"
            case float(least), float(most):
                return self._with_unit(f"{self._figure(least)} to {self._figure(most)}")
        raise AssertionError("a measurement has a bound")

    def _figure(self, figure: float) -> str:
        """Write whole numbers whole and others with the same places, all with thousands apart."""
        return f"{figure:,.0f}" if figure == int(figure) else f"{figure:,.{self._places()}f}"

    def _places(self) -> int:
        """Return two places, or as many as show that the value is not its bound, nor either 0."""
        bounds = [bound for bound in (self.at_least, self.at_most) if bound is not None]
        pairs = [(self.value, bound) for bound in bounds]
        pairs += [(figure, 0.0) for figure in (self.value, *bounds)]
        for places in range(_FEWEST_PLACES, _MOST_PLACES):
            shown = [
                (round(one, places), round(other, places)) for one, other in pairs if one != other
            ]
            if all(one != other for one, other in shown):
                return places
        return _MOST_PLACES

    def _with_unit(self, figures: str) -> str:
        return f"{figures}{'' if self.unit == '%' else ' '}{self.unit}"


class Alert(BaseModel):
    """Something that people must know.

    Texts are masked (see `pii_guard`) and shortened, never refused: an alert is not lost because an
    error message quotes a customer.

    Attributes:
        environment: Where it happened.
        signal: The condition that raises it; it decides kind and runbook.
        subject: What it is about, the same each time: a task, a test, a mart, a warehouse. No time
            and no figure: together with environment and signal it is the alert's identity. A
            period only where each period is to be told of by itself.
        severity: How bad it is. A later alert of the same identity may be worse, never better.
        owner: Who looks after the subject: its dbt group.
        summary: What happened, one sentence.
        measurement: The figure and what is expected of it, where there is one.
        details: A few lines that help, such as the error's first ones.
        log: Address of the log.
        docs: Address of the subject's documentation.
        caused_by: Fingerprint of the alert that this one only follows from, such as the failure
            because of which a task was skipped.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: EnvironmentName
    signal: Signal
    subject: Name
    severity: Severity
    owner: Name
    summary: Sentence
    measurement: Measurement | None = None
    details: Annotated[tuple[str, ...], AfterValidator(_most_telling)] = ()
    log: Link = None
    docs: Link = None
    caused_by: Fingerprint | None = None

    @property
    def kind(self) -> AlertKind:
        """What the alert is about."""
        return self.signal.kind

    @property
    def fingerprint(self) -> str:
        """The alert's identity, 16 hexadecimal digits; see `fingerprint_of`."""
        return fingerprint_of(self.environment, self.signal, self.subject)


def fingerprint_of(environment: EnvironmentName, signal: Signal, subject: str) -> str:
    """Return the identity of every alert of that signal about that subject.

    The same on any machine and any day, so that whoever finds the subject healthy again can
    resolve an alert without having raised it.
    """
    identity = "\n".join([environment.value, signal.value, _name(subject)])
    return hashlib.sha256(identity.encode()).hexdigest()[:16]
