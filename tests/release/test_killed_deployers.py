"""Deployers that are killed, or meet each other: what they began is finished, and by one of them.

As in `test_promotion_end_to_end.py` all is real but the Pulumi CLI.
"""

import os
import signal
from pathlib import Path

import psutil
import pytest

from olist_platform.errors import OlistError
from olist_platform.release.bundle import Bundle
from olist_platform.release.deployment_state import Kind, Result, StepOutcome
from olist_platform.release.deployment_steps import STEP_NAMES
from release_platform import DEV, PROD, Platform
from release_repository import LOWER, MART_ORDERS, UPPER, variant
from waiting import wait_until

pytestmark = pytest.mark.slow


def test_killed_at_every_write_it_goes_on_and_readers_never_see_half_of_it(
    ahead: Platform, second: Bundle
) -> None:
    """Each deployer gets SIGKILL one write of the record later than the one before it, and one in
    the middle of a step: when Pulumi has done its work and told nobody yet.
    """
    ahead.repository.order(up_prod="kill")
    # Forgets those of the former deployments.
    ahead.repository.calls()
    killed_in: list[str] = []
    for write in range(1, 60):
        deployer = ahead.start(PROD, "promote", dies_at_write=write)
        deployer.join()
        assert ahead.states(PROD) in (UPPER, LOWER)
        state = ahead.deployer(PROD).record.state()
        if deployer.exitcode == 0:
            break
        assert deployer.exitcode == -signal.SIGKILL
        steps = state.unfinished.steps if state.unfinished else {}
        killed_in.append(list(steps)[-1] if steps else "")
        if state.current and state.current.release.digest == second.digest:
            assert ahead.states(PROD) == LOWER
    assert list(dict.fromkeys(name for name in killed_in if name)) == list(STEP_NAMES)
    assert state.unfinished is None
    assert ahead.runs(PROD) == second.digest
    assert ahead.states(PROD) == LOWER
    assert ahead.repository.infrastructure("prod") == "RELEASE = 'second'\n"
    # One deployment, however often it was begun again. The last one killed had only its document
    # in the history left to write; the next wrote it, and found everything standing.
    _, event, again = ahead.deployer(PROD).record.history()
    for one in (event, again):
        assert (one.kind, one.result, one.runs) == (Kind.PROMOTE, Result.DEPLOYED, one.release)
        assert tuple(one.steps) == STEP_NAMES
    outcomes = {step.outcome for step in again.steps.values()}
    assert outcomes <= {StepOutcome.STOOD, StepOutcome.SKIPPED, StepOutcome.DONE}
    assert again.steps["dbt build"].outcome is StepOutcome.STOOD
    # What Pulumi had made was not made again.
    assert ahead.repository.calls().count(("up", "prod")) == 1


def test_a_killed_rollback_goes_on_and_no_release_further(ahead: Platform, first: Bundle) -> None:
    killed = 0
    for write in range(3, 60, 3):
        deployer = ahead.start(DEV, "rollback", dies_at_write=write)
        deployer.join()
        assert ahead.states(DEV) in (UPPER, LOWER)
        if deployer.exitcode == 0:
            break
        assert deployer.exitcode == -signal.SIGKILL
        killed += 1
    assert killed > 4
    assert ahead.runs(DEV) == first.digest
    assert ahead.states(DEV) == UPPER
    assert ahead.repository.infrastructure("dev") == "RELEASE = 'first'\n"
    assert ahead.history(DEV)[1:] == [
        (Kind.DEPLOY, Result.DEPLOYED),
        (Kind.ROLLBACK, Result.DEPLOYED),
    ]
    # Killed when all was back, and before anybody was told: it goes no release further.
    ahead.delete_object(DEV, "deployments/dev/history/000003.json")
    event = ahead.deployer(DEV).roll_back()
    assert (event.id, event.release.digest) == (3, first.digest)
    assert len(ahead.history(DEV)) == 3


def test_what_a_killed_deployer_left_building_is_ended_by_the_next(
    platform: Platform, first: Bundle, tmp_path: Path
) -> None:
    pipe = tmp_path / "nobody-writes-to-it"
    os.mkfifo(pipe)
    waiting = f"{MART_ORDERS} where (select count(*) from read_text('{pipe}')) > 0"
    slow = variant(first, 3, {"dbt/models/marts/mart_orders.sql": waiting})
    # Not a fork: whoever looks for it reads the variables that a program was started with.
    deployer = platform.start(DEV, "deploy", slow, cold=True)
    builds = platform.repository.home / "data" / "dev" / "release" / "builds"
    built = builds / slow.digest[:12] / "target" / "run"
    wait_until(lambda: any(built.glob("**/mart_orders.sql")), seconds=300, every=0.05)
    [dbt] = psutil.Process(deployer.pid).children()
    deployer.kill()
    deployer.join()
    assert is_alive(dbt)
    event = platform.deployer(DEV).roll_back()
    assert (event.result, event.runs and event.runs.digest) == (Result.ABANDONED, first.digest)
    assert not is_alive(dbt)
    assert platform.states(DEV) == UPPER


def test_of_two_deployers_the_second_is_told_who_is_at_work(
    platform: Platform, second: Bundle
) -> None:
    platform.repository.order(up_dev="wait")
    first_deployer = platform.start(DEV, "deploy", second)
    waiting = platform.repository.stand_in / "waiting"
    wait_until(waiting.exists, seconds=300, every=0.05)
    with pytest.raises(OlistError, match=r"dev: ana is at work on 20{11} \(Release 2\)"):
        platform.deployer(DEV, "bia").deploy(variant(second, 3, {}))
    (platform.repository.stand_in / "go-on").touch()
    first_deployer.join()
    assert first_deployer.exitcode == 0
    assert platform.runs(DEV) == second.digest
    assert platform.history(DEV)[1:] == [(Kind.DEPLOY, Result.DEPLOYED)]


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
