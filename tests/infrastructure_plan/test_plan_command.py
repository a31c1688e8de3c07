"""`olist plan` on copies of the checkout, edited as somebody would edit them."""

import json
import re
import resource
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from olist_platform.cli.plan import plan as plan_command
from olist_platform.cli.plan_output import refusal
from olist_platform.environment import load_environment
from olist_platform.errors import OlistError
from olist_platform.infrastructure_plan.captured_program import capture_program
from olist_platform.infrastructure_plan.captured_reference import capture_reference
from olist_platform.infrastructure_plan.captured_resources import CapturedProgram
from olist_platform.infrastructure_plan.plan import Plan, make_plan
from olist_platform.infrastructure_plan.policy_pack import PolicyPack, running_policy_pack
from olist_platform.naming import EnvironmentName
from olist_platform.source_catalog import CATALOG
from olist_workspace import ROOT, Workspace

pytestmark = pytest.mark.slow

IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A git repository with the checkout's program, policies, library and environments."""
    home = tmp_path_factory.mktemp("checkout")
    for folder in ("infra", "policies", "environments", "platform/src"):
        shutil.copytree(ROOT / folder, home / folder, ignore=IGNORED)
    (home / "dbt").mkdir()
    (home / "dbt" / "dbt_project.yml").write_text("name: olist\n")
    git(home, "init", "--quiet", "--initial-branch=main")
    git(home, "add", "--all")
    git(home, "commit", "--quiet", "--message=As it is")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(home))
        yield home


@pytest.fixture(autouse=True)
def _as_committed(checkout: Path) -> Iterator[None]:
    yield
    git(checkout, "checkout", "--quiet", "--force", "main")
    git(checkout, "clean", "--quiet", "--force", "-d")


@pytest.fixture(scope="module")
def pack(checkout: Path) -> Iterator[PolicyPack]:
    with running_policy_pack(checkout / "policies") as running:
        yield running


def git(home: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@olist.example"]
    subprocess.run(["git", "-C", home, *identity, *arguments], check=True)


def edit(path: Path, pattern: str, replacement: str) -> None:
    text = path.read_text(encoding="utf-8")
    edited, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
    assert count, f"{path} has no {pattern}"
    path.write_text(edited, encoding="utf-8")


def captured(checkout: Path, name: EnvironmentName = EnvironmentName.DEV) -> CapturedProgram:
    return capture_program(load_environment(name, checkout / "environments"), checkout / "infra")


@pytest.fixture(scope="module")
def as_committed(checkout: Path) -> dict[EnvironmentName, CapturedProgram]:
    return {name: captured(checkout, name) for name in (EnvironmentName.DEV, EnvironmentName.PROD)}


def planned(checkout: Path, *, against: str | None = None) -> Plan:
    return make_plan(load_environment(EnvironmentName.DEV, checkout / "environments"), against)


def test_both_environments_pass_the_whole_pack(
    as_committed: dict[EnvironmentName, CapturedProgram], pack: PolicyPack
) -> None:
    for program in as_committed.values():
        assert pack.violations(program) == ()


def test_the_command_plans_an_environment_soon(checkout: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    document = json.loads(Workspace(checkout).olist("plan", "prod", "--json"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Seconds of a processor, which others that run beside it do not change.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 15
    assert document["passes"]
    assert document["environment"] == "prod"
    assert len(document["rules"]) >= 20
    # 380 credits of the account, cut off at 110 %, at 4.50 USD, and 500 USD of AWS.
    assert document["spend"]["total_usd"] == 380 * 1.1 * 4.5 + 500


def test_removing_an_auto_suspend_fails_the_plan(checkout: Path) -> None:
    program = checkout / "infra" / "olist_infra" / "warehouses.py"
    edit(program, r"^\s+auto_suspend=.*\n", "")
    lines = program.read_text(encoding="utf-8").splitlines()
    [line] = [at for at, text in enumerate(lines, start=1) if "snowflake.Warehouse(" in text]
    error = refusal(planned(checkout))
    assert error.message.splitlines() == [
        "the plan of 'dev' violates 3 mandatory rules",
        *(
            f"  warehouse-auto-suspends: snowflake.Warehouse warehouse-{workload} "
            f"(infra/olist_infra/warehouses.py:{line}): auto_suspend is not set, so it never "
            "suspends"
            for workload in ("load", "report", "transform")
        ),
    ]
    assert error.mend == "warehouse-auto-suspends: set auto_suspend to 60-600 seconds"


def test_removing_a_mask_fails_the_plans_of_a_pull_request(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pull-request.yml plans: both environments, one comment, and the job's summary."""
    edit(checkout / "infra" / "olist_infra" / "personal_data.py", r"^\s+masking_policies=.*\n", "")
    comment, summary = tmp_path / "plan.md", tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    printed = Workspace(checkout).olist(
        "ci", "plan", "--against", "main", "--output", comment, expect=1
    )
    assert "the plan of 'dev' violates" in printed
    text = comment.read_text(encoding="utf-8")
    assert summary.read_text(encoding="utf-8") == text
    for name, ceiling in (("dev", "298.00"), ("prod", "2,381.00")):
        verdict = r"\*\*broken: pii-column-masked\*\* \| 1 change"
        assert re.search(rf"\| {name} \| {verdict} \| {ceiling} USD \|", text), text[:600]
    row = (
        r"\| `pii-column-masked` \| mandatory \| `snowflake\.Table raw-customers` "
        r"infra/olist_infra/raw_tables\.py:\d+ \| column CUSTOMER_CITY is not masked \|"
    )
    assert len(re.findall(row, text)) == 2


def test_what_the_real_program_must_not_lose(
    as_committed: dict[EnvironmentName, CapturedProgram], pack: PolicyPack
) -> None:
    """One resource of prod spoilt at a time; each is found by its own rule alone."""
    program = as_committed[EnvironmentName.PROD]
    spoilt: dict[str, tuple[str, dict[str, Any], bool | None]] = {
        "prod-stateful-protected": ("raw-orders", {}, False),
        "privilege-in-access-model": (
            "raw__read-raw-tables-all",
            {"privileges": ["OWNERSHIP"]},
            None,
        ),
        "monitor-warns-and-stops": ("monitor-load", {"suspendImmediateTrigger": None}, None),
        "pii-column-masked": ("pii-sellers-seller_city", {"objectIdentifiers": []}, None),
        "service-user-has-key-pair": ("reporter", {"rsaPublicKey": ""}, None),
    }
    for rule, (name, inputs, protect) in spoilt.items():
        changed = tuple(
            replace(
                one,
                inputs={**one.inputs, **inputs},
                protect=one.protect if protect is None else protect,
            )
            if one.name == name and one.type in TYPES
            else one
            for one in program.resources
        )
        assert changed != program.resources, name
        found = pack.violations(replace(program, resources=changed))
        assert {one.rule for one in found} == {rule}


TYPES = {
    "snowflake:index/table:Table",
    "snowflake:index/grantPrivilegesToDatabaseRole:GrantPrivilegesToDatabaseRole",
    "snowflake:index/resourceMonitor:ResourceMonitor",
    "snowflake:index/tagAssociation:TagAssociation",
    "snowflake:index/serviceUser:ServiceUser",
}


def test_a_change_is_compared_with_another_commit_run_by_its_own_code(checkout: Path) -> None:
    # Only that commit's library names the warehouses so.
    edit(checkout / "platform" / "src" / "olist_platform" / "naming.py", r"_WH\"", '_WAREHOUSE"')
    git(checkout, "checkout", "--quiet", "-b", "other-names")
    git(checkout, "commit", "--quiet", "--all", "--message=Other names")
    git(checkout, "checkout", "--quiet", "--force", "main")
    edit(
        checkout / "environments" / "dev.yaml",
        r"auto_suspend_seconds: 60$",
        "auto_suspend_seconds: 90",
    )
    edit(
        checkout / "infra" / "olist_infra" / "copy_statement.py",
        "ON_ERROR = SKIP_FILE",
        "ON_ERROR = CONTINUE",
    )

    plan = planned(checkout, against="other-names")

    assert plan.comparison is not None
    changes = {f"{change.kind} {change.name}": change for change in plan.comparison.changes}
    assert {f"replace pipe-{dataset.name}" for dataset in CATALOG} <= set(changes)
    warehouse = changes["change warehouse-load"].properties
    assert [(one.path, one.before, one.after) for one in warehouse] == [
        ("autoSuspend", 60.0, 90.0),
        ("name", "OLIST_DEV_LOAD_WAREHOUSE", "OLIST_DEV_LOAD_WH"),
    ]
    [statement] = changes["replace pipe-orders"].properties
    assert (statement.path, statement.replaces) == ("copyStatement", True)
    managed = sum(not one.is_component for one in plan.program.resources)
    assert plan.comparison.unchanged == managed - len(changes)
    assert not plan.mandatory_violations


def test_before_there_was_a_program_everything_is_created(checkout: Path) -> None:
    git(checkout, "checkout", "--quiet", "-b", "before")
    shutil.rmtree(checkout / "infra")
    git(checkout, "commit", "--quiet", "--all", "--message=Before")
    assert capture_reference("before", EnvironmentName.DEV) is None


def test_a_reference_whose_program_fails_is_the_users_error(checkout: Path) -> None:
    git(checkout, "checkout", "--quiet", "-b", "broken")
    edit(checkout / "environments" / "dev.yaml", r"^  protect: .*\n", "")
    git(checkout, "commit", "--quiet", "--all", "--message=Broken")
    with pytest.raises(OlistError, match=r"at broken: .*key 'cloud.protect' is missing"):
        capture_reference("broken", EnvironmentName.DEV)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"env": "local"}, "environment 'local' has no cloud side"),
        ({"env": "staging"}, "unknown environment 'staging'"),
        ({"env": "dev", "as_json": True, "as_markdown": True}, "exclude each other"),
        ({"env": "dev", "against": "nowhere"}, "'nowhere' is no commit, branch or tag"),
        ({"env": "dev", "against": "--all"}, "'--all' is no commit, branch or tag"),
        ({"env": "dev", "against": ""}, "'' is no commit, branch or tag"),
        ({"env": "dev", "graph": Path("/")}, "/: it is a folder, not a file"),
        ({"env": "dev", "graph": Path("/nowhere/dev.svg")}, "/nowhere: there is no such folder"),
    ],
)
@pytest.mark.usefixtures("checkout")
def test_a_users_mistake_is_one_clear_error(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(OlistError, match=message) as raised:
        plan_command(**arguments)
    assert raised.value.mend
