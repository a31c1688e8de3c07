"""Mistakes in an environment's alerts are named with file and key."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from edited_files import set_key
from olist_platform.alerts.kinds import AlertKind, Channel
from olist_platform.environment import environments_folder, load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from yaml_files import read_yaml, write_yaml


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "environments"
    shutil.copytree(environments_folder(), copy)
    return copy


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "routes.fraud.to",
            [{"slack": "nobody"}],
            "routes.fraud: recipients has no 'nobody'; it has: analytics_engineering, business",
        ),
        (
            "routes.fraud.to",
            [{"pager": "business"}],
            "expected {slack: <recipient>} or {email: <recipient>}",
        ),
        ("routes.fraud.to", [], "'alerts.routes.fraud.to'"),
        ("routes.fraud.at_once_from", "urgent", "'alerts.routes.fraud.at_once_from'"),
        ("digest_hour", 23, "digest_hour: 23 lies in the quiet hours"),
        ("quiet_hours", {"start": 7, "end": 7, "let_through_from": "high"}, "the same hour"),
        ("time_zone", "Sao Paulo", "'Sao Paulo' is no time zone"),
        ("email.user", None, "user and password are both given or both null"),
        ("recipients.finance.slack", "olist finance", "'alerts.recipients.finance.slack'"),
        ("delivery.slack_tries", 0, "'alerts.delivery.slack_tries'"),
        ("colour", "blue", "'alerts.colour' is unknown"),
    ],
)
def test_a_mistake_is_named(folder: Path, key: str, value: Any, message: str) -> None:
    path = folder / "prod.yaml"
    set_key(path, f"alerts.{key}", value)
    with pytest.raises(OlistError) as caught:
        load_environment(EnvironmentName.PROD, folder)
    assert str(path) in caught.value.message
    assert message in caught.value.message


def test_a_recipient_that_no_route_leads_to_is_named(folder: Path) -> None:
    path = folder / "prod.yaml"
    content = read_yaml(path)
    content["alerts"]["recipients"]["legal"] = {"slack": "#legal", "email": "legal@olist.example"}
    write_yaml(path, content)
    with pytest.raises(OlistError, match="no route leads to legal"):
        load_environment(EnvironmentName.PROD, folder)


def test_production_routes_are_those_that_were_asked_for() -> None:
    routes = load_environment(EnvironmentName.PROD).alerts.routes
    first = {
        kind: (routes.of(kind).to[0].channel, routes.of(kind).to[0].recipient) for kind in AlertKind
    }
    assert first == {
        AlertKind.PIPELINE_FAILURE: (Channel.SLACK, "data_platform"),
        AlertKind.DATA_QUALITY: (Channel.EMAIL, "analytics_engineering"),
        AlertKind.COST_OVERRUN: (Channel.EMAIL, "finance"),
        AlertKind.SLA_BREACH: (Channel.EMAIL, "executives"),
        AlertKind.ANOMALY: (Channel.SLACK, "business"),
        AlertKind.FRAUD: (Channel.SLACK, "business"),
        AlertKind.SYSTEM_HEALTH: (Channel.SLACK, "operations"),
    }


def test_nothing_local_leaves_the_machine() -> None:
    alerts = load_environment(EnvironmentName.LOCAL).alerts
    assert (alerts.outbox, alerts.slack, alerts.email) == (None, None, None)
