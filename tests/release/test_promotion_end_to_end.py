"""The whole way of a release, without a cloud: moto's S3, two DuckDB warehouses, real dbt builds.

Only the Pulumi CLI is not real: `tests/support/pulumi_stand_in.py` records its calls and can fail.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest

from olist_platform.environment import load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName, Names
from olist_platform.release.bundle import Bundle, read_bundle
from olist_platform.release.deployer import Deployer
from olist_platform.release.deployment import DeploymentFailedError
from olist_platform.release.deployment_state import Event, Kind, Result, StepOutcome
from olist_platform.release.deployment_steps import STEP_NAMES
from olist_platform.release.stored_bundles import bundle_key
from release_repository import (
    ACCOUNT,
    MART_ORDERS,
    REGION,
    ReleaseRepository,
    make_repository,
    variant,
)

pytestmark = pytest.mark.slow

DEV, PROD = EnvironmentName.DEV, EnvironmentName.PROD
DAY = date(2026, 2, 28)
SECOND = {
    "infra/__main__.py": "RELEASE = 'second'\n",
    "dbt/models/marts/mart_orders.sql": MART_ORDERS.replace("state,", "lower(state) as state,", 1),
}
UPPER, LOWER = [("RJ", 10, DAY), ("SP", 10, DAY)], [("rj", 10, DAY), ("sp", 10, DAY)]


class Platform:
    """Dev and prod with a first release on both, put back to that before every test."""

    def __init__(self, repository: ReleaseRepository, client: Any, kept: Path) -> None:
        self.repository = repository
        self._client = client
        self._kept = kept
        self._objects: dict[tuple[str, str], bytes] = {}

    def deployer(self, name: EnvironmentName, by: str = "ana") -> Deployer:
        return Deployer(load_environment(name), lambda *_: None, by)

    def deploy(self, bundle: Bundle) -> Event:
        return self.deployer(DEV).deploy(bundle)

    def promote(self, digest: str | None = None, *approvals: str) -> Event:
        return self.deployer(PROD).promote(digest, approvals)

    def runs(self, name: EnvironmentName) -> str | None:
        current = self.deployer(name).record.state().current
        return current.release.digest if current else None

    def history(self, name: EnvironmentName) -> list[tuple[Kind, Result]]:
        return [(event.kind, event.result) for event in self.deployer(name).record.history()]

    def states(self, name: EnvironmentName) -> list[tuple[Any, ...]]:
        return self.repository.read_marts(name, "select * from mart_states order by state")

    def write_object(self, name: EnvironmentName, key: str, content: bytes) -> None:
        bucket = Names(name).artifact_bucket(ACCOUNT)
        self._client.put_object(Bucket=bucket, Key=key, Body=content)

    def keep(self) -> None:
        self._objects = dict(self._stored())
        for folder in self._folders():
            # With hard links as they are: what readers have is a file of a build.
            subprocess.run(["cp", "-a", folder, self._kept / folder.name], check=True)

    def put_back(self) -> None:
        for bucket, key in dict(self._stored()):
            self._client.delete_object(Bucket=bucket, Key=key)
        for (bucket, key), content in self._objects.items():
            self._client.put_object(Bucket=bucket, Key=key, Body=content)
        for folder in self._folders():
            shutil.rmtree(folder)
            subprocess.run(["cp", "-a", self._kept / folder.name, folder], check=True)

    def _folders(self) -> tuple[Path, Path]:
        return self.repository.home / "data", self.repository.stand_in

    def _stored(self) -> Iterator[tuple[tuple[str, str], bytes]]:
        for name in (DEV, PROD):
            bucket = Names(name).artifact_bucket(ACCOUNT)
            for entry in self._client.list_objects_v2(Bucket=bucket).get("Contents", []):
                body = self._client.get_object(Bucket=bucket, Key=entry["Key"])["Body"]
                yield (bucket, entry["Key"]), body.read()


@pytest.fixture(scope="module")
def prepared(
    aws: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Platform, Bundle]]:
    folder = tmp_path_factory.mktemp("releases")
    (folder / "kept").mkdir()
    repository = make_repository(folder / "home", folder / "pulumi", aws)
    client = boto3.Session().client("s3", endpoint_url=aws, region_name=REGION)
    platform = Platform(repository, client, folder / "kept")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in repository.environment_variables().items():
            patch.setenv(name, value)
        printed = repository.olist("release", "build")
        [path] = (repository.home / "data" / "releases").glob("*.tar")
        first = read_bundle(path)
        assert first.digest in printed.splitlines()
        platform.deploy(first)
        platform.promote()
        platform.keep()
        yield platform, first


@pytest.fixture
def platform(prepared: tuple[Platform, Bundle]) -> Platform:
    prepared[0].put_back()
    return prepared[0]


@pytest.fixture(scope="module")
def first(prepared: tuple[Platform, Bundle]) -> Bundle:
    return prepared[1]


@pytest.fixture(scope="module")
def second(first: Bundle) -> Bundle:
    return variant(first, 2, SECOND)


def test_green_all_the_way(platform: Platform, first: Bundle) -> None:
    assert platform.runs(DEV) == platform.runs(PROD) == first.digest
    assert platform.states(DEV) == platform.states(PROD) == UPPER
    assert platform.repository.infrastructure("prod") == "RELEASE = 'first'\n"
    [event] = platform.deployer(PROD).record.history()
    assert (event.kind, event.result, event.by) == (Kind.PROMOTE, Result.DEPLOYED, "ana")
    assert tuple(event.steps) == STEP_NAMES
    assert event.steps["infrastructure"].outcome is StepOutcome.DONE
    assert event.steps["dashboards"].outcome is StepOutcome.SKIPPED
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


def test_killed_while_pulumi_works_the_same_command_goes_on_at_once(
    platform: Platform, second: Bundle
) -> None:
    platform.deploy(second)
    platform.repository.order(up_prod="kill")
    killed = platform.repository.start_olist("release", "promote", "prod")
    killed.communicate(timeout=300)
    assert killed.returncode == -9
    unfinished = platform.deployer(PROD).record.state().unfinished
    assert unfinished is not None
    assert list(unfinished.steps) == ["policies and plan", "infrastructure"]
    assert platform.states(PROD) == UPPER
    printed = platform.repository.olist("release", "promote", "prod")
    assert "stood     infrastructure" in printed
    assert platform.runs(PROD) == second.digest
    assert platform.states(PROD) == LOWER
    assert platform.history(PROD)[1:] == [(Kind.PROMOTE, Result.DEPLOYED)]


def test_of_two_deployers_the_second_is_told_who_is_at_work(
    platform: Platform, second: Bundle
) -> None:
    platform.repository.order(up_dev="wait")
    path = platform.repository.save(second)
    first_deployer = platform.repository.start_olist("release", "deploy", "dev", path)
    waiting = platform.repository.stand_in / "waiting"
    wait_for(waiting.exists)
    with pytest.raises(OlistError, match=r"dev: ana is at work on 20{11} \(Release 2\)"):
        platform.deployer(DEV, "bia").deploy(variant(second, 3, {}))
    (platform.repository.stand_in / "go-on").touch()
    printed, _ = first_deployer.communicate(timeout=300)
    assert first_deployer.returncode == 0, printed
    assert platform.runs(DEV) == second.digest
    assert platform.history(DEV)[1:] == [(Kind.DEPLOY, Result.DEPLOYED)]


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
    with pytest.raises(OlistError, match="prod takes only what is green in dev"):
        platform.deployer(PROD).deploy(second)
    assert platform.runs(PROD) == first.digest


def test_a_rollback_puts_everything_back_in_one_command(
    platform: Platform, first: Bundle, second: Bundle
) -> None:
    platform.deploy(second)
    with pytest.raises(OlistError, match=f"dev runs another digest: {second.digest[:12]}"):
        platform.promote(first.digest)
    platform.promote(second.digest)
    assert platform.states(PROD) == LOWER
    assert platform.repository.infrastructure("prod") == "RELEASE = 'second'\n"
    printed = platform.repository.olist("release", "rollback", "prod")
    assert "the marts that readers had under this release are kept: of 2026-02-28" in printed
    assert "what this cannot undo" in printed
    assert "Time Travel" in printed
    assert platform.runs(PROD) == first.digest
    assert platform.runs(DEV) == second.digest
    assert platform.states(PROD) == UPPER
    assert platform.repository.infrastructure("prod") == "RELEASE = 'first'\n"
    with pytest.raises(OlistError, match="no release before to go back to"):
        platform.deployer(PROD).roll_back()


def wait_for(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
