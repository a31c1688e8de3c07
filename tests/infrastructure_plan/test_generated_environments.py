"""Any environment that the settings allow makes a program, and the rules judge it as foretold."""

import ipaddress
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from olist_platform.environment import load_environment
from olist_platform.infrastructure_plan.captured_program import capture_program
from olist_platform.infrastructure_plan.plan import priced
from olist_platform.infrastructure_plan.policy_pack import PolicyPack, running_policy_pack
from olist_platform.naming import EnvironmentName, Workload
from olist_workspace import ROOT
from yaml_files import read_yaml, write_yaml

pytestmark = pytest.mark.slow

HARD_STOP = 1.1
ENVIRONMENTS = (EnvironmentName.DEV, EnvironmentName.PROD)
SOUND_WAREHOUSES = st.fixed_dictionaries(
    {
        "size": st.sampled_from(["XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE"]),
        "auto_suspend_seconds": st.integers(60, 600),
        "min_clusters": st.just(1),
        "max_clusters": st.integers(1, 10),
        "scaling_policy": st.sampled_from(["STANDARD", "ECONOMY"]),
        "statement_timeout_seconds": st.integers(1, 86_400),
        "queue_timeout_seconds": st.integers(1, 86_400),
        "monthly_credits": st.integers(1, 5_000),
    }
)
# What the settings take and a rule refuses: the warehouse's key, values, and the rule.
UNSOUND = {
    "auto_suspend_seconds": (st.integers(601, 90_000), "warehouse-auto-suspends"),
    "statement_timeout_seconds": (st.integers(86_401, 600_000), "warehouse-statements-time-out"),
}


@dataclass(frozen=True)
class Generated:
    """A generated environment.

    Attributes:
        name: Its name.
        cloud: What its file says under `cloud`.
        refused_by: Mandatory rules that have to refuse it.
    """

    name: EnvironmentName
    cloud: dict[str, Any]
    refused_by: frozenset[str]


def networks(prefixes: st.SearchStrategy[int]) -> st.SearchStrategy[list[str]]:
    """Return networks with prefixes of these lengths."""
    network = st.builds(
        lambda address, prefix: str(ipaddress.ip_network((address, prefix), strict=False)),
        st.integers(0x0B000000, 0xDF000000),
        prefixes,
    )
    return st.lists(network, min_size=1, max_size=4, unique=True)


@st.composite
def generated_environments(draw: st.DrawFn) -> Generated:
    """Draw an environment; most obey every rule, some break one or two on purpose."""
    name = draw(st.sampled_from(ENVIRONMENTS))
    refused_by: set[str] = set()
    cloud: dict[str, Any] = read_yaml(ROOT / "environments" / f"{name}.yaml")["cloud"]
    snowflake, aws = cloud["snowflake"], cloud["aws"]
    snowflake["warehouses"] = {workload.value: draw(SOUND_WAREHOUSES) for workload in Workload}
    for key, (values, rule) in UNSOUND.items():
        if draw(st.integers(0, 5)) == 0:
            snowflake["warehouses"][draw(st.sampled_from(list(Workload))).value][key] = draw(values)
            refused_by.add(rule)
    snowflake["allowed_networks"] = draw(networks(st.integers(16, 32)))
    if draw(st.integers(0, 5)) == 0:
        snowflake["allowed_networks"] = draw(networks(st.integers(0, 15)))
        refused_by.add("network-not-open")
    snowflake["owns_account_objects"] = draw(st.booleans())
    snowflake["account_monthly_credits"] = draw(st.integers(1, 20_000))
    snowflake["credit_price_usd"] = draw(st.sampled_from([2.0, 3.1, 4.5, 6.6]))
    snowflake["data_retention_days"] = draw(st.integers(7, 90))
    aws["monthly_budget_usd"] = draw(st.integers(1, 5_000))
    aws["owns_account_objects"] = draw(st.booleans())
    aws["slack"] = draw(
        st.sampled_from([None, {"workspace_id": "T0OLIST00", "channel_id": "C0ALERTS0"}])
    )
    if draw(st.booleans()):
        cloud["alert_emails"] = ["one@olist.example", "two@olist.example", "three@olist.example"]
    if name is EnvironmentName.PROD and draw(st.integers(0, 3)) == 0:
        cloud["protect"] = False
        refused_by.add("prod-stateful-protected")
    # The budget is drawn last, so that it fits, or just does not.
    cost = most_a_month_costs(cloud)
    if draw(st.integers(0, 3)) == 0:
        cloud["monthly_budget_usd"] = round(cost - 0.01, 2)
        refused_by.add("quotas-within-budget")
    else:
        cloud["monthly_budget_usd"] = round(cost + draw(st.floats(0.01, 1_000)), 2)
    return Generated(name, cloud, frozenset(refused_by))


def most_a_month_costs(cloud: dict[str, Any]) -> float:
    """Reckon from the settings what the plan reckons from the program."""
    snowflake = cloud["snowflake"]
    quota = sum(one["monthly_credits"] for one in snowflake["warehouses"].values())
    if snowflake["owns_account_objects"]:
        quota = min(quota, snowflake["account_monthly_credits"])
    return float(
        round(quota * HARD_STOP * snowflake["credit_price_usd"], 2)
        + cloud["aws"]["monthly_budget_usd"]
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout whose environments may be written; its program is the real one."""
    folder = tmp_path_factory.mktemp("generated")
    shutil.copytree(ROOT / "environments", folder / "environments")
    for name in ("dbt", "infra", "policies"):
        (folder / name).symlink_to(ROOT / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def pack(home: Path) -> Iterator[PolicyPack]:
    with running_policy_pack(home / "policies") as running:
        yield running


@settings(
    max_examples=5,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(generated=generated_environments())
def test_an_environment_is_refused_by_exactly_the_rules_it_breaks(
    home: Path, pack: PolicyPack, generated: Generated
) -> None:
    path = home / "environments" / f"{generated.name}.yaml"
    content = read_yaml(ROOT / "environments" / path.name)
    write_yaml(path, content | {"cloud": generated.cloud})

    environment = load_environment(generated.name, home / "environments")
    program = capture_program(environment, ROOT / "infra")

    assert {found.rule for found in pack.violations(program)} == generated.refused_by
    assert priced(program, environment).total_usd == pytest.approx(
        most_a_month_costs(generated.cloud)
    )
