"""An alert's identity, its masking, and the words it is told in."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from alert_scenario import MORNING, environment, failure
from olist_platform.alerts.alert import Alert, Measurement, fingerprint_of
from olist_platform.alerts.kinds import AlertKind, Severity, Signal
from olist_platform.alerts.pii_guard import masked
from olist_platform.alerts.schedule import (
    after_quiet_hours,
    escalation_time,
    next_digest,
    retry_delay,
)
from olist_platform.alerts.wording import duration_text
from olist_platform.naming import EnvironmentName

CUSTOMER = "861eff4711a542e4b93843c6dd7febb0"


def test_the_fingerprint_never_changes() -> None:
    alert = failure()
    # Stored outboxes hold it: another value would open every open alert a second time.
    assert alert.fingerprint == "4310630b045c8ade"
    assert alert.fingerprint == fingerprint_of(
        EnvironmentName.PROD, Signal.TASK_FAILURE, "olist_production.int_orders"
    )


def test_the_fingerprint_is_of_place_signal_and_subject_only() -> None:
    alert = failure()
    measured = Measurement(value=3, at_most=0, unit="rows")
    same = failure(severity=Severity.LOW, summary="Another.", measurement=measured)
    assert same.fingerprint == alert.fingerprint
    others = {
        failure("other").fingerprint,
        failure(signal=Signal.TEST_FAILURE).fingerprint,
        failure(environment=EnvironmentName.DEV).fingerprint,
    }
    assert len(others | {alert.fingerprint}) == 4


def test_every_kind_has_a_signal() -> None:
    assert {signal.kind for signal in Signal} == set(AlertKind)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to maria.silva@example.com.br now", "write to [e-mail hidden] now"),
        (f"customer {CUSTOMER} twice", "customer [identifier hidden] twice"),
        (f"customer_{CUSTOMER.upper()}", "customer_[identifier hidden]"),
        ("at 01409 and 01409-001", "at [postal code hidden] and [postal code hidden]"),
        ("zip 01409001", "zip [postal code hidden]"),
        (
            "Could not convert string 'Chegou tudo certo' to INT32",
            "Could not convert string '[text hidden]' to INT32",
        ),
        ('value "Não recebi, péssimo" is', 'value "[text hidden]" is'),
        (
            "review_comment_message: Produto veio quebrado\nnext line",
            "review_comment_message: [hidden]\nnext line",
        ),
        ("customer_city = sao paulo", "customer_city = [hidden]"),
        ("customer_city: [campinas]", "customer_city: [hidden]"),
        # What people need to read stays.
        ("column 'order_status' of \"int_orders\"", "column 'order_status' of \"int_orders\""),
        ("12,345 rows of 99441.5 on 2018-09-03", "12,345 rows of 99441.5 on 2018-09-03"),
        ("commit a9b3c1d and run_results.json:12345", "commit a9b3c1d and run_results.json:12345"),
    ],
)
def test_personal_data_is_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


WORDS = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)


@given(before=WORDS, after=WORDS)
def test_no_surroundings_bring_personal_data_through(before: str, after: str) -> None:
    for secret in ("maria.silva@example.com", CUSTOMER):
        assert secret not in masked(f"{before} {secret} {after}")
    assert "01409" not in masked(f"{before} 01409 {after}").replace(before, "").replace(after, "")


def test_texts_of_an_alert_are_masked_wherever_they_stand() -> None:
    alert = failure(
        f"orders of {CUSTOMER}",
        summary="mail to a@b.example bounced",
        owner="a@b.example",
        details=("zip 01409",) * 9,
        measurement=Measurement(value=1, at_most=0, unit="mails to a@b.example"),
    )
    text = alert.model_dump_json()
    assert CUSTOMER not in text
    assert "a@b" not in text
    assert "01409" not in text
    assert alert.details == ("zip [postal code hidden]",) * 5 + ("and 4 more",)


def test_a_long_text_is_shortened_and_kept_on_a_line() -> None:
    alert = failure(summary="x\n" * 2000)
    assert len(alert.summary) == 600
    assert alert.summary.endswith("x x…")


@pytest.mark.parametrize(
    "link", [f"https://x.example/{CUSTOMER}", "https://x.example/?user=a%40b.example"]
)
def test_a_link_with_personal_data_is_refused(link: str) -> None:
    with pytest.raises(ValidationError, match="a link must not hold"):
        failure(log=link)


def test_an_alert_survives_being_stored() -> None:
    alert = failure(
        details=("Could not convert string 'Chegou tudo' to INT32",),
        log="https://airflow.olist.example/log",
        measurement=Measurement(value=0.5, at_least=0.9, unit="points"),
    )
    assert Alert.model_validate_json(alert.model_dump_json()) == alert


@pytest.mark.parametrize(
    ("measurement", "value", "expectation"),
    [
        (
            Measurement(value=3120, at_least=5400, at_most=7900, unit="rows"),
            "3,120 rows",
            "5,400 to 7,900 rows",
        ),
        (Measurement(value=91.4, at_most=90, unit="%"), "91.40%", "at most 90%"),
        (Measurement(value=0.875, at_least=0.9, unit="h"), "0.88 h", "at least 0.90 h"),
        # No rounding makes a value its own bound, or either nothing.
        (
            Measurement(value=0.8961, at_least=0.9, unit="points"),
            "0.896 points",
            "at least 0.900 points",
        ),
        (Measurement(value=0.0046, at_most=0.001, unit="%"), "0.005%", "at most 0.001%"),
        (Measurement(value=0.52, at_most=0.001, unit="%"), "0.520%", "at most 0.001%"),
        (Measurement(value=90.004, at_most=90, unit="%"), "90.004%", "at most 90%"),
        (Measurement(value=5.5, at_least=1, at_most=5.4996, unit="h"), "5.5000 h", "1 to 5.4996 h"),
        (Measurement(value=0.9, at_most=0.9, unit="h"), "0.90 h", "at most 0.90 h"),
        (
            Measurement(value=0.1 + 0.2, at_most=0.3, unit="h"),
            "0.300000000 h",
            "at most 0.300000000 h",
        ),
    ],
)
def test_figures_are_written_for_people(
    measurement: Measurement, value: str, expectation: str
) -> None:
    assert measurement.describe_value() == value
    assert measurement.describe_expectation() == expectation


def test_a_measurement_expects_something() -> None:
    with pytest.raises(ValidationError, match="needs at_least or at_most"):
        Measurement(value=1, unit="rows")


@pytest.mark.parametrize("figure", [float("inf"), float("-inf"), float("nan")])
def test_a_measurement_is_of_numbers(figure: float) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        Measurement(value=figure, at_most=1, unit="rows")
    with pytest.raises(ValidationError, match="finite number"):
        Measurement(value=1, at_most=figure, unit="rows")


@pytest.mark.parametrize(
    ("utc_hour", "severity", "expected"),
    [
        (0, Severity.MEDIUM, datetime(2018, 9, 4, 0, 30, tzinfo=UTC)),  # 21:30
        (1, Severity.MEDIUM, datetime(2018, 9, 4, 10, 0, tzinfo=UTC)),  # 22:30
        (9, Severity.LOW, datetime(2018, 9, 4, 10, 0, tzinfo=UTC)),  # 06:30
        (9, Severity.HIGH, datetime(2018, 9, 4, 9, 30, tzinfo=UTC)),
        (10, Severity.LOW, datetime(2018, 9, 4, 10, 30, tzinfo=UTC)),  # 07:30
    ],
)
def test_quiet_hours_are_of_the_time_zone(
    utc_hour: int, severity: Severity, expected: datetime
) -> None:
    moment = datetime(2018, 9, 4, utc_hour, 30, tzinfo=UTC)
    assert after_quiet_hours(moment, severity, environment().alerts) == expected


def test_the_digest_hour_stays_when_clocks_change() -> None:
    # Sao Paulo put its clocks forward on 2018-11-04: nine o'clock came an hour earlier in UTC.
    settings = environment().alerts
    assert next_digest(datetime(2018, 11, 2, 13, tzinfo=UTC), settings) == datetime(
        2018, 11, 3, 12, tzinfo=UTC
    )
    assert next_digest(datetime(2018, 11, 3, 13, tzinfo=UTC), settings) == datetime(
        2018, 11, 4, 11, tzinfo=UTC
    )


def test_at_the_digest_hour_itself_the_next_one_is_tomorrow() -> None:
    nine = datetime(2018, 9, 3, 12, tzinfo=UTC)
    assert next_digest(nine, environment().alerts) == nine + timedelta(days=1)


def test_escalation_and_retries_follow_the_settings() -> None:
    settings = environment().alerts
    assert escalation_time(MORNING, settings) == MORNING + timedelta(minutes=30)
    delays = [retry_delay(failures, settings.delivery) for failures in (1, 2, 3, 8, 10_000)]
    assert [delay.total_seconds() for delay in delays] == [30, 60, 120, 3600, 3600]


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(seconds=59), "under a minute"),
        (timedelta(minutes=10), "10 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=1, hours=3, minutes=20), "1 d 3 h"),
        (timedelta(days=2, minutes=20), "2 d"),
    ],
)
def test_durations_are_written_for_people(duration: timedelta, text: str) -> None:
    assert duration_text(duration) == text
