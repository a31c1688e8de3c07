"""An environment that is four words, and steps over it that fail or are killed when told to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from olist_platform.errors import OlistError
from olist_platform.release.artifact_store import ArtifactStore
from olist_platform.release.bundle import Bundle
from olist_platform.release.deployment import ReleaseStep, carry_out, take_back
from olist_platform.release.deployment_record import Deployment, DeploymentRecord
from olist_platform.release.deployment_state import Event, Kind, Release, Result
from release_bundles import small_bundle

STEPS = ("infrastructure", "artifacts", "build", "smoke", "switch", "refresh")
LEASE_SECONDS = 120.0


class KilledError(BaseException):
    """What stands for SIGKILL: nothing of the deployer's own code runs after it."""


def release_of(bundle: Bundle) -> Release:
    manifest = bundle.manifest
    return Release(
        digest=bundle.digest,
        commit=manifest.commit,
        committed_at=manifest.committed_at,
        subject=manifest.subject,
    )


RELEASES = tuple(release_of(small_bundle(number)) for number in range(4))


@dataclass
class StagedEnvironment:
    """What stands, by the digest of the release it is of.

    Attributes:
        store: Holds the record.
        fault: What a step does instead of its work, by its name.
        late: Whether the fault comes after the work, not before it.
        told: Every step and outcome that was told, in order.
    """

    store: ArtifactStore
    name: str = "dev"
    fault: dict[str, type[BaseException]] = field(default_factory=dict)
    late: bool = False
    stands: dict[str, str | None] = field(
        default_factory=lambda: {"infrastructure": None, "serving": None}
    )
    told: list[tuple[str, str]] = field(default_factory=list)
    moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @property
    def record(self) -> DeploymentRecord:
        return DeploymentRecord(self.store, self.name, LEASE_SECONDS, lambda: self.moment)

    def pass_time(self, seconds: float = 2 * LEASE_SECONDS) -> None:
        self.moment += timedelta(seconds=seconds)

    def deploy(self, release: Release, kind: Kind = Kind.DEPLOY, by: str = "ana") -> Event:
        deployment = self.record.begin(kind, release, by)
        with deployment.kept_alive():
            return carry_out(deployment, self.steps(deployment), self._tell, self.name)

    def roll_back(self, by: str = "ana") -> Event:
        state = self.record.state()
        if state.unfinished is not None and state.unfinished.kind is not Kind.ROLLBACK:
            deployment = self.record.take_over(by)
            with deployment.kept_alive():
                steps = self.steps(deployment)
                return take_back(deployment, steps, self._tell, self.name, Result.ABANDONED)
        previous = state.unfinished.release if state.unfinished else None
        if previous is None:
            if state.previous is None:
                raise OlistError(f"{self.name}: no release before to go back to")
            previous = state.previous.release
        return self.deploy(previous, Kind.ROLLBACK, by)

    def steps(self, deployment: Deployment) -> list[ReleaseStep]:
        digest = deployment.unfinished.release.digest
        before = deployment.unfinished.before.digest if deployment.unfinished.before else None

        def switched() -> bool:
            current = deployment.state.current
            return (
                self.stands["serving"] == digest
                and current is not None
                and current.release.digest == digest
            )

        def switch() -> None:
            self.stands["serving"] = digest
            self._fail("between")
            deployment.switch()

        def switch_back() -> None:
            self._fail("switch back")
            self.stands["serving"] = before
            deployment.switch_back()

        return [
            self._step(
                "infrastructure",
                lambda: self.stands["infrastructure"] == digest,
                lambda: self.stands.update(infrastructure=digest),
                lambda: self.stands.update(infrastructure=before),
            ),
            self._step("artifacts", lambda: False, lambda: None),
            self._step("build", lambda: False, lambda: None),
            self._step("smoke", lambda: False, lambda: None),
            self._step("switch", switched, switch, switch_back),
            self._step("refresh", lambda: False, lambda: None),
        ]

    def is_wholly_on(self, release: Release | None) -> bool:
        digest = release.digest if release else None
        current = self.record.state().current
        return (
            self.stands == {"infrastructure": digest, "serving": digest}
            and (current.release.digest if current else None) == digest
        )

    def _step(
        self,
        name: str,
        stands: Callable[[], bool],
        work: Callable[[], None],
        put_back: Callable[[], None] | None = None,
    ) -> ReleaseStep:
        worked: list[bool] = []

        def make() -> None:
            if not self.late:
                self._fail(name)
            work()
            worked.append(True)
            self._fail(name)

        return ReleaseStep(
            name=name,
            wanted="so",
            stands=lambda: stands() or (bool(worked) and not put_back),
            make=make,
            put_back=put_back,
        )

    def _fail(self, name: str) -> None:
        fault = self.fault.get(name)
        if fault is KilledError:
            raise KilledError(name)
        if fault is not None:
            raise fault(f"{name} is broken")

    def _tell(self, step: str, outcome: str, _: str) -> None:
        self.told.append((step, str(outcome)))
