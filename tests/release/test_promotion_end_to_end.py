"""The whole way of a release, without a cloud: moto's S3, two DuckDB warehouses, real dbt builds.

Only the Pulumi CLI is not real: `tests/support/pulumi_stand_in.py` records its calls and can fail.
"""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from olist_platform.cli.main import app
from olist_platform.errors import OlistError
from olist_platform.release import deployment_steps
from olist_platform.release.bundle import Bundle, read_bundle
from olist_platform.release.deployment import DeploymentFailedError
from olist_platform.release.deployment_state import Kind, Result, StepOutcome
from olist_platform.release.deployment_steps import STEP_NAMES
from olist_platform.release.git_tree import commits_between
from olist_platform.release.reader_refresh import PAGES, POWER_BI
from olist_platform.release.release_tree import ReleaseTree
from olist_platform.release.stored_bundles import bundle_key
from release_platform import DEV, PROD, Platform
from release_repository import (
    LOWER,
    MART_ORDERS,
    SECOND,
    UPPER,
    ReleaseRepository,
    commit,
    git,
    variant,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def build_first() -> Callable[[ReleaseRepository], Bundle]:
    """By the command that people and workflows use."""

    def build(repository: ReleaseRepository) -> Bundle:
        printed = repository.olist("release", "build")
        [path] = (repository.home / "data" / "releases").glob("*.tar")
        bundle = read_bundle(path)
        assert bundle.digest in printed.splitlines()
        return bundle

    return build


def test_green_all_the_way(platform: Platform, first: Bundle) -> None:
    assert platform.runs(DEV) == platform.runs(PROD) == first.digest
    assert platform.states(DEV) == platform.states(PROD) == UPPER
    assert platform.repository.infrastructure("prod") == "RELEASE = 'first'\n"
    [event] = platform.deployer(PROD).record.history()
    assert (event.kind, event.result, event.by) == (Kind.PROMOTE, Result.DEPLOYED, "ana")
    assert tuple(event.steps) == STEP_NAMES
    assert event.steps["infrastructure"].outcome is StepOutcome.DONE
    assert {name: step.reason for name, step in event.steps.items() if step.reason} == {
        "policies and plan": "the environment has no cloud side",
        PAGES: "the release describes none",
        POWER_BI: "dashboards.power_bi is null in this environment",
    }
    assert platform.repository.calls() == [
        (command, stack) for stack in ("dev", "prod") for command in ("preview", "up", "preview")
    ]


def test_status_says_it_on_one_screen(platform: Platform, first: Bundle) -> None:
    printed = platform.repository.olist("release", "status")
    assert printed.count(f"{first.manifest.short_commit} First release") == 2
    assert "dev and prod run the same bytes" in printed
    assert len(printed.splitlines()) < 30


def test_another_clone_at_another_time_builds_the_same_bytes(
    platform: Platform, first: Bundle, tmp_path: Path
) -> None:
    clone = tmp_path / "elsewhere"
    subprocess.run(["git", "clone", "-q", platform.repository.home, clone], check=True)
    elsewhere = ReleaseRepository(clone, platform.repository.stand_in)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        patch.setenv("LC_ALL", "C")
        printed = elsewhere.olist("release", "build", "HEAD", "--output", tmp_path / "again.tar")
    assert first.digest in printed.splitlines()
    assert (tmp_path / "again.tar").read_bytes() == first.archive


def test_red_smoke_tests_in_dev_change_nothing_and_are_not_promoted(
    platform: Platform, first: Bundle
) -> None:
    red = variant(
        first,
        3,
        {"dbt/models/marts/mart_orders.sql": f"{MART_ORDERS} where false", "dags/x.py": "1\n"}
        | {"infra/__main__.py": "RELEASE = 'red'\n"},
    )
    with pytest.raises(DeploymentFailedError, match="mart_orders has no row; mart_states has no"):
        platform.deploy(red)
    assert platform.runs(DEV) == first.digest
    assert platform.states(DEV) == UPPER
    assert platform.repository.infrastructure("dev") == "RELEASE = 'first'\n"
    with pytest.raises(OlistError, match="is not green in dev: smoke tests fail"):
        platform.promote(red.digest)
    assert platform.history(PROD) == [(Kind.PROMOTE, Result.DEPLOYED)]


def test_red_in_prod_goes_back_by_itself(platform: Platform, first: Bundle) -> None:
    """Twelve of twenty rows are enough for dev, and not for prod."""
    files = SECOND | {"dbt/models/marts/mart_orders.sql": f"{MART_ORDERS} where order_id <= 12"}
    fewer = variant(first, 3, files)
    platform.deploy(fewer)
    with pytest.raises(DeploymentFailedError, match=r"mart_orders has 12 rows, less than 90% of"):
        platform.promote()
    assert platform.runs(DEV) == fewer.digest
    assert platform.runs(PROD) == first.digest
    assert platform.states(PROD) == UPPER
    assert platform.repository.infrastructure("prod") == "RELEASE = 'first'\n"
    assert platform.history(PROD)[-1] == (Kind.PROMOTE, Result.FAILED)
    printed = platform.repository.olist("release", "status")
    assert "failed: smoke tests fail: mart_orders has 12 rows, less than 90%" in printed
    assert "dev is 3.0 days ahead of prod: prod was taken back to what it runs (#2)" in printed
    assert "olist release promote prod" not in printed


def test_a_tampered_bundle_goes_nowhere(platform: Platform, first: Bundle, second: Bundle) -> None:
    place = first.archive.index(b"RELEASE = 'first'")
    tampered = first.archive[:place] + b"RELEASE = 'worse'" + first.archive[place + 17 :]
    platform.write_object(DEV, bundle_key(first.digest), tampered)
    with pytest.raises(OlistError, match=r"it is damaged:\n  changed: dags/olist_production\.py"):
        platform.promote()
    # One whose manifest was rewritten to agree, under the digest of the genuine one.
    platform.write_object(DEV, bundle_key(first.digest), second.archive)
    with pytest.raises(OlistError, match="it is another bundle"):
        platform.promote()
    path = platform.repository.home / "data" / "tampered.tar"
    path.write_bytes(tampered)
    printed = platform.repository.olist("release", "verify", path, expect=1)
    assert "changed: dags/olist_production.py" in printed
    assert "changed: " in platform.repository.olist("release", "deploy", "dev", path, expect=1)
    assert platform.history(PROD) == [(Kind.PROMOTE, Result.DEPLOYED)]


def test_what_was_never_in_dev_never_gets_to_prod(
    platform: Platform, first: Bundle, second: Bundle
) -> None:
    with pytest.raises(OlistError, match="was never in dev: prod takes only what was there"):
        platform.promote(second.digest)
    with pytest.raises(OlistError, match="was never in dev: prod takes only what was there"):
        platform.promote(second.digest[:12])
    with pytest.raises(OlistError, match="prod takes only what is green in dev"):
        platform.deployer(PROD).deploy(second)
    assert platform.runs(PROD) == first.digest


def test_a_rollback_puts_everything_back_in_one_command(
    ahead: Platform, first: Bundle, second: Bundle
) -> None:
    with pytest.raises(OlistError, match=f"dev runs another digest: {second.digest[:12]}"):
        ahead.promote(first.digest)
    ahead.promote(second.digest)
    assert ahead.states(PROD) == LOWER
    assert ahead.repository.infrastructure("prod") == "RELEASE = 'second'\n"
    printed = ahead.repository.olist("release", "rollback", "prod")
    assert "the marts that readers had under this release are kept: of 2026-02-28" in printed
    assert "what this cannot undo" in printed
    assert "Time Travel" in printed
    assert ahead.runs(PROD) == first.digest
    assert ahead.runs(DEV) == second.digest
    assert ahead.states(PROD) == UPPER
    assert ahead.repository.infrastructure("prod") == "RELEASE = 'first'\n"
    with pytest.raises(OlistError, match="no release before to go back to"):
        ahead.deployer(PROD).roll_back()


@dataclass(frozen=True)
class Listener:
    """A reader that is told of new marts, and keeps what its teller sees of them."""

    platform: Platform
    heard: list[tuple[str, list[tuple[Any, ...]]]]
    name: str = PAGES
    skipped: str = ""
    breaks: bool = False

    def tell(self, tree: ReleaseTree) -> None:
        self.heard.append((tree.digest, self.platform.states(DEV)))
        if self.breaks:
            raise OlistError("the pages cannot be made")


def test_readers_are_told_behind_the_switch_and_again_when_it_is_taken_back(
    platform: Platform, first: Bundle, second: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = Listener(platform, [])
    broken = Listener(platform, [], POWER_BI, breaks=True)
    listening = (pages, broken)
    monkeypatch.setattr(deployment_steps, "reader_refreshes", lambda _: listening)
    with pytest.raises(OlistError, match="switch could not be put back: the pages") as error:
        platform.deploy(second)
    assert "olist release rollback dev" in error.value.mend
    # Power BI refuses the former marts too; when it does not any more, the same is taken back.
    listening = (pages, Listener(platform, [], POWER_BI))
    event = platform.deployer(DEV).roll_back()
    assert event.result is Result.ABANDONED
    assert pages.heard == [(second.digest, LOWER), (first.digest, UPPER), (first.digest, UPPER)]
    assert broken.heard == [(second.digest, LOWER), (first.digest, UPPER)]
    assert platform.states(DEV) == UPPER


def test_a_workflow_promotes_with_the_labels_of_pull_requests_and_writes_notes(
    platform: Platform, first: Bundle, gh: Path, tmp_path: Path
) -> None:
    """`olist ci promote|running|notes|publish-notes`, as promote-production.yml runs them."""
    home = platform.repository.home
    (home / "dags" / "olist_production.py").write_text("RELEASE = 'narrow'\n")
    commit(home, "States leave")
    sha = git(home, "rev-parse", "HEAD").strip()
    manifest = json.loads(first.read("release/dbt/prod/manifest.json"))
    del manifest["nodes"]["model.olist.mart_states"]
    narrow = variant(first, 1, {"release/dbt/prod/manifest.json": json.dumps(manifest)}, sha)
    platform.deploy(narrow)
    (gh / "answer").write_text("[]")
    promote = ("promote", "prod", "--digest", "", *REPOSITORY)
    with pytest.raises(OlistError, match="destructive change without a label: mart mart_states"):
        in_a_workflow(*promote)
    (gh / "answer").write_text(json.dumps([{"labels": [{"name": "approved-destructive"}]}]))
    assert "approved by a label: approved-destructive" in in_a_workflow(*promote)
    assert platform.runs(PROD) == narrow.digest
    assert in_a_workflow("running", "prod").strip() == sha
    notes = tmp_path / "notes.md"
    in_a_workflow("notes", "prod", "--output", str(notes))
    text = notes.read_text()
    assert f"- States leave ({sha[:12]})" in text
    assert "- approved: approved-destructive" in text
    assert "First release" not in text
    in_a_workflow("publish-notes", str(notes), *REPOSITORY, "--commit", sha)
    asked = (gh / "calls").read_text().splitlines()
    assert asked[0] == f"api repos/olist/olist-platform/commits/{sha}/pulls"
    assert asked[-1].startswith(f"release edit release-{sha[:12]} --repo olist/olist-platform")


def test_a_release_whose_branch_is_gone_does_not_stop_the_next_one(
    platform: Platform, first: Bundle, gh: Path, tmp_path: Path
) -> None:
    """A hotfix that was squashed into main: no clone of a workflow has its commit any more."""
    home = platform.repository.home
    hotfix = variant(first, 2, {}, "f" * 40)
    platform.deploy(hotfix)
    platform.promote()
    (home / "dags" / "olist_production.py").write_text("RELEASE = 'after'\n")
    # Between the two words: a line's end to Python, none to git.
    commit(home, "After\u2028it", "2026-03-09T12:00:00Z")
    sha = git(home, "rev-parse", "HEAD").strip()
    after = variant(first, 3, {"dags/olist_production.py": "RELEASE = 'after'\n"}, sha)
    platform.deploy(after)
    # As `olist release status` shows it.
    digest = after.digest[:12]
    printed = in_a_workflow("promote", "prod", "--digest", digest, *REPOSITORY)
    assert f"::warning title=Labels::release {'f' * 12} (Release 2) is of no branch" in printed
    assert platform.runs(PROD) == after.digest
    assert not (gh / "calls").exists()
    notes = tmp_path / "notes.md"
    in_a_workflow("notes", "prod", "--output", str(notes))
    assert "Not listed: one of the two is of no branch any more." in notes.read_text()
    [newest, *_] = commits_between(home, None, sha)
    assert (newest.sha, newest.subject) == (sha, "After\u2028it")


REPOSITORY = ("--repository", "olist/olist-platform")


def in_a_workflow(*arguments: str) -> str:
    """Run `olist ci`; return what it printed."""
    result = CliRunner().invoke(app, ["ci", *arguments])
    if result.exception is not None:
        raise result.exception
    return result.output
