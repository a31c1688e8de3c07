"""Whatever is deployed, fails, is killed, resumed, rolled back: each is wholly on one release."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from olist_platform.errors import OlistError
from olist_platform.release.deployment_state import Event, Release, Result
from olist_platform.release.folder_artifacts import FolderArtifactStore
from staged_environment import RELEASES, STEPS, KilledError, StagedEnvironment

# Thousands of small writes, each of which waits for the disk.
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - where there is one
releases = st.sampled_from(RELEASES)
faults = st.dictionaries(
    st.sampled_from([*STEPS, "between", "switch back"]),
    st.sampled_from([OlistError, RuntimeError, KilledError]),
    max_size=2,
)


class Deployments(RuleBasedStateMachine):
    """Deployers who do everything in any order, against a model of what has to run."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None)
        self.environment = StagedEnvironment(FolderArtifactStore(Path(self._folder.name)))
        self.history: tuple[Event, ...] = ()
        self.running: Release | None = None

    def teardown(self) -> None:
        self._folder.cleanup()

    @rule(release=releases, fault=faults, late=st.booleans())
    def deploy(self, release: Release, fault: dict[str, type[BaseException]], late: bool) -> None:
        self.environment.fault, self.environment.late = fault, late
        try:
            event = self.environment.deploy(release)
        except (OlistError, KilledError):
            self._after_fault()
        else:
            assert event.runs == release
            self.running = release
        self._settle()

    @rule(fault=faults, late=st.booleans())
    def roll_back(self, fault: dict[str, type[BaseException]], late: bool) -> None:
        self.environment.fault, self.environment.late = fault, late
        try:
            event = self.environment.roll_back()
        except (OlistError, KilledError):
            self._after_fault()
        else:
            self.running = event.runs
        self._settle()

    @rule()
    def resume(self) -> None:
        unfinished = self.environment.record.state().unfinished
        if unfinished is None:
            return
        event = self.environment.deploy(unfinished.release, unfinished.kind)
        assert event.id == unfinished.id
        assert event.runs == unfinished.release
        self.running = unfinished.release

    def _after_fault(self) -> None:
        """What failed and ended has left what ran before."""
        state = self.environment.record.state()
        if state.unfinished is None and state.last_event is not None:
            assert (state.current.release if state.current else None) == self.running

    def _settle(self) -> None:
        self.environment.fault = {}
        # A killed one's lease runs out.
        self.environment.pass_time()

    @invariant()
    def finished_means_wholly_on_one_release(self) -> None:
        if self.environment.record.state().unfinished is None:
            assert self.environment.is_wholly_on(self.running)

    @invariant()
    def what_stands_is_of_the_two_releases_at_most(self) -> None:
        state = self.environment.record.state()
        digests = {value for value in self.environment.stands.values() if value}
        known = {self.running.digest} if self.running else set()
        if state.unfinished:
            known.add(state.unfinished.release.digest)
        assert digests <= known

    @invariant()
    def history_only_grows(self) -> None:
        history = self.environment.record.history()
        assert history[: len(self.history)] == self.history
        assert [event.id for event in history] == list(range(1, len(history) + 1))
        for event in history[len(self.history) :]:
            assert (
                event.result is Result.DEPLOYED
                or event.runs != event.release
                or (event.release == self.running)
            )
        self.history = history


TestDeployments = Deployments.TestCase
TestDeployments.settings = settings(max_examples=120, stateful_step_count=12, derandomize=True)
TestDeployments = pytest.mark.slow(TestDeployments)
