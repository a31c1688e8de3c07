"""A deployment goes on where it was killed, is taken back where it fails, and is alone."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from olist_platform.environment import load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_platform.release import reader_refresh
from olist_platform.release.artifact_store import ArtifactStore
from olist_platform.release.deployment import DeploymentFailedError, carry_out
from olist_platform.release.deployment_record import LeaseLostError
from olist_platform.release.deployment_state import Kind, Release, Result, StepOutcome
from olist_platform.release.folder_artifacts import FolderArtifactStore
from olist_platform.release.reader_refresh import PAGES, ReaderRefresh
from olist_platform.release.release_tree import ReleaseTree
from release_bundles import small_bundle
from staged_environment import RELEASES, STEPS, KilledError, StagedEnvironment

OLD, NEW, NEWER, _ = RELEASES


@pytest.fixture
def environment(tmp_path: Path) -> StagedEnvironment:
    """An environment on which OLD runs."""
    staged = StagedEnvironment(FolderArtifactStore(tmp_path))
    staged.deploy(OLD)
    staged.told.clear()
    return staged


def test_what_tells_a_reader_by_hand_is_a_whole_command(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = ReleaseTree(EnvironmentName.DEV, small_bundle(1))
    monkeypatch.setattr(tree, "environment", partial(load_environment, EnvironmentName.DEV))
    failed = CompletedProcess([], 1, "no room", "")
    monkeypatch.setattr(reader_refresh, "run_captured", lambda *_: failed)
    with pytest.raises(OlistError, match="dashboards: no room") as error:
        ReaderRefresh(PAGES, ("dashboards", "build", "--env"), "").tell(tree)
    assert error.value.mend == "olist dashboards build --env dev"


def test_every_step_is_taken_and_recorded(environment: StagedEnvironment) -> None:
    event = environment.deploy(NEW)
    assert environment.is_wholly_on(NEW)
    assert (event.result, event.runs, event.by) == (Result.DEPLOYED, NEW, "ana")
    assert {name: step.outcome for name, step in event.steps.items()} == dict.fromkeys(
        STEPS, StepOutcome.DONE
    )
    assert environment.told == [(step, told) for step in STEPS for told in ("begun", "done")]
    assert [entry.release for entry in environment.record.history()] == [OLD, NEW]


def test_the_same_again_finds_everything_standing(environment: StagedEnvironment) -> None:
    event = environment.deploy(OLD)
    assert environment.is_wholly_on(OLD)
    assert event.steps["infrastructure"].outcome is StepOutcome.STOOD
    assert event.steps["switch"].outcome is StepOutcome.STOOD
    assert len(environment.record.state().lineage) == 1


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("step", [*STEPS, "between"])
def test_killed_anywhere_the_same_command_goes_on(
    environment: StagedEnvironment, step: str, late: bool
) -> None:
    environment.fault, environment.late = {step: KilledError}, late
    deployment = environment.record.begin(Kind.DEPLOY, NEW, "ana")
    # No `finally` frees its place, as `kept_alive` would.
    with pytest.raises(KilledError):
        carry_out(deployment, environment.steps(deployment), lambda *_: None, "dev")
    state = environment.record.state()
    assert state.unfinished is not None
    assert state.current is not None
    assert state.current.release == (NEW if (step, late) in SWITCHED else OLD)
    environment.fault = {}
    with pytest.raises(OlistError, match=r"ana is at work on .*counts as gone at"):
        environment.deploy(NEW)
    environment.pass_time()
    event = environment.deploy(NEW)
    assert event.result is Result.DEPLOYED
    assert event.id == 2
    assert environment.is_wholly_on(NEW)


SWITCHED = {("switch", True), ("refresh", False), ("refresh", True)}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("step", [*STEPS, "between"])
def test_a_failing_step_leaves_everything_on_the_release_before(
    environment: StagedEnvironment, step: str, late: bool
) -> None:
    environment.fault, environment.late = {step: OlistError}, late
    with pytest.raises(
        DeploymentFailedError, match=f"{step} is broken\nit was taken back"
    ) as error:
        environment.deploy(NEW)
    assert environment.is_wholly_on(OLD)
    event = environment.record.history()[-1]
    assert event == error.value.event
    assert (event.result, event.release, event.runs) == (Result.FAILED, NEW, OLD)
    assert event.reason == f"{step} is broken"
    assert environment.record.state().unfinished is None
    environment.fault = {}
    environment.deploy(NEW)
    assert environment.is_wholly_on(NEW)


def test_a_first_release_that_fails_leaves_nothing(tmp_path: Path) -> None:
    environment = StagedEnvironment(FolderArtifactStore(tmp_path), fault={"refresh": OlistError})
    with pytest.raises(DeploymentFailedError, match="nothing runs there yet"):
        environment.deploy(OLD)
    assert environment.is_wholly_on(None)


def test_what_cannot_be_put_back_stays_unfinished_until_it_is(
    environment: StagedEnvironment,
) -> None:
    environment.fault = {"refresh": OlistError, "switch back": OlistError}
    with pytest.raises(OlistError, match=r"refresh is broken\nswitch could not be put back"):
        environment.deploy(NEW)
    unfinished = environment.record.state().unfinished
    assert unfinished is not None
    assert unfinished.failure == "refresh is broken"
    with pytest.raises(OlistError, match="is unfinished") as error:
        environment.deploy(NEWER)
    assert f"olist release deploy dev --digest {NEW.digest}" in error.value.mend
    environment.fault = {}
    event = environment.roll_back("bia")
    assert (event.result, event.by, event.reason) == (
        Result.ABANDONED,
        "bia",
        "refresh is broken",
    )
    assert environment.is_wholly_on(OLD)


def test_a_rollback_puts_the_release_before_back_and_a_second_one_the_one_before_that(
    environment: StagedEnvironment,
) -> None:
    for release in (NEW, NEWER):
        environment.deploy(release)
    for release in (NEW, OLD):
        event = environment.roll_back()
        assert (event.kind, event.release) == (Kind.ROLLBACK, release)
        assert environment.is_wholly_on(release)
    with pytest.raises(OlistError, match="no release before"):
        environment.roll_back()


def test_a_failing_rollback_changes_nothing(environment: StagedEnvironment) -> None:
    environment.deploy(NEW)
    environment.fault = {"refresh": OlistError}
    with pytest.raises(DeploymentFailedError):
        environment.roll_back()
    assert environment.is_wholly_on(NEW)
    environment.fault = {}
    environment.roll_back()
    assert environment.is_wholly_on(OLD)


def test_of_two_deployers_at_once_the_second_is_refused(store: ArtifactStore) -> None:
    environment = StagedEnvironment(store)
    at_work, go_on = threading.Event(), threading.Event()

    def build() -> None:
        at_work.set()
        assert go_on.wait(30)

    def deploy_slowly() -> None:
        deployment = environment.record.begin(Kind.DEPLOY, OLD, "ana")
        steps = environment.steps(deployment)
        steps[2] = replace(steps[2], stands=at_work.is_set, make=build)
        carry_out(deployment, steps, lambda *_: None, "dev")

    with ThreadPoolExecutor(1) as executor:
        first = executor.submit(deploy_slowly)
        assert at_work.wait(30)
        for attempt in (partial(environment.deploy, NEW, by="bia"), environment.roll_back):
            with pytest.raises(OlistError, match="ana is at work on"):
                attempt()
        go_on.set()
        first.result(30)
    assert environment.is_wholly_on(OLD)
    assert [event.by for event in environment.record.history()] == ["ana"]


def test_of_many_deployers_at_the_same_moment_each_wins_alone(tmp_path: Path) -> None:
    """In a folder: moto's S3 looks and writes in two steps, as S3 itself does not."""
    environment = StagedEnvironment(FolderArtifactStore(tmp_path))
    together = threading.Barrier(len(RELEASES))

    def deploy(release: Release) -> str:
        together.wait()
        try:
            environment.deploy(release, by=release.subject)
        except OlistError as error:
            return error.message
        return "won"

    with ThreadPoolExecutor(len(RELEASES)) as executor:
        outcomes = list(executor.map(deploy, RELEASES))
    won = [release for release, told in zip(RELEASES, outcomes, strict=True) if told == "won"]
    history = environment.record.history()
    assert won
    assert {event.release.digest for event in history} == {release.digest for release in won}
    assert len(history) == len(won)
    assert environment.is_wholly_on(history[-1].release)
    assert all("is at work on" in told for told in set(outcomes) - {"won"})


def test_who_was_taken_for_gone_can_do_nothing_more(environment: StagedEnvironment) -> None:
    """A deployer that slept through its lease wakes up behind another."""
    sleeper = environment.record.begin(Kind.DEPLOY, NEW, "ana")
    environment.pass_time()
    environment.deploy(NEW, by="bia")
    for act in (sleeper.renew, sleeper.switch, sleeper.switch_back):
        with pytest.raises(LeaseLostError, match="bia has ended this deployment"):
            act()
    with pytest.raises(LeaseLostError, match="bia has ended this deployment"):
        carry_out(sleeper, environment.steps(sleeper), lambda *_: None, "dev")
    assert environment.is_wholly_on(NEW)
    assert [event.by for event in environment.record.history()] == ["ana", "bia"]


def test_an_event_whose_document_was_not_written_is_not_lost(
    environment: StagedEnvironment, tmp_path: Path
) -> None:
    document = tmp_path / "deployments" / "dev" / "history" / "000001.json"
    written = document.read_bytes()
    document.unlink()
    assert [event.release for event in environment.record.history()] == [OLD]
    environment.deploy(NEW)
    assert document.read_bytes() == written


def test_who_ended_a_deployment_and_was_never_told_is_told_by_the_next(
    environment: StagedEnvironment, tmp_path: Path
) -> None:
    assert environment.record.close_last() is None
    document = tmp_path / "deployments" / "dev" / "history" / "000001.json"
    written = document.read_bytes()
    document.unlink()
    event = environment.record.close_last()
    assert event is not None
    assert event.release == OLD
    assert document.read_bytes() == written
    assert environment.record.close_last() is None


def test_history_that_was_changed_is_noticed(
    environment: StagedEnvironment, tmp_path: Path
) -> None:
    environment.deploy(NEW)
    document = tmp_path / "deployments" / "dev" / "history" / "000001.json"
    document.unlink()
    with pytest.raises(OlistError, match=r"000001\.json: this part of the history is missing"):
        environment.record.history()
    last = document.with_name("000002.json")
    last.write_text("{}")
    with pytest.raises(OlistError, match="the history says otherwise"):
        environment.deploy(NEWER)
