"""Who brings releases to an environment, promotes them, and takes them back."""

import getpass
import os
from collections.abc import Sequence

from olist_platform.environment import Environment, load_environment
from olist_platform.errors import OlistError
from olist_platform.release.artifact_store import artifact_store
from olist_platform.release.bundle import Bundle
from olist_platform.release.deployment import Progress, carry_out, take_back
from olist_platform.release.deployment_record import Deployment, environment_record
from olist_platform.release.deployment_state import Event, Kind, Result
from olist_platform.release.deployment_steps import DeploymentSteps, release_of
from olist_platform.release.promotion import green_release, refusals, require_none
from olist_platform.release.pulumi_command import PulumiStack
from olist_platform.release.release_tree import ReleaseTree, stop_leftovers
from olist_platform.release.stored_bundles import full_digest, keep_bundle, stored_bundle

# What no command of this platform brings back by putting code back.
NOT_UNDONE = (
    "rows that runs of the newer release wrote: Time Travel, or building from raw, undoes those",
    "columns that the newer release added: they stay, and the older release ignores them",
    "what the newer release dropped: destructive changes are promoted a release later for that",
)
_GITHUB_ACTOR = "GITHUB_ACTOR"


def deploying_person() -> str:
    """Return who deploys: GitHub's actor in a workflow, else the user of this machine."""
    return os.environ.get(_GITHUB_ACTOR) or getpass.getuser()


class Deployer:
    """An environment's releases.

    Attributes:
        environment: Its settings, as the checkout has them.
        record: Its deployment record.
    """

    def __init__(
        self,
        environment: Environment,
        progress: Progress,
        by: str | None = None,
    ) -> None:
        """Open the store and the record; nothing is created.

        Args:
            environment: The environment.
            progress: Told of each step.
            by: Who deploys; see `deploying_person`.
        """
        self.environment = environment
        self._store = artifact_store(environment)
        self.record = environment_record(environment, self._store)
        self._progress = progress
        self._by = by or deploying_person()

    def bundle(self, digest: str) -> Bundle:
        """Return a bundle of the environment's store, every byte checked; raises OlistError.

        Args:
            digest: Its digest, or as much of it as no other begins with.
        """
        return stored_bundle(self._store, full_digest(self._store, digest))

    def deploy(self, bundle: Bundle) -> Event:
        """Bring a release to the environment, or go on with an interrupted deployment of it.

        Raises:
            OlistError: Releases have to be promoted to here, another deployment is under way, or a
                step fails; readers are then where they were.
        """
        source = self.environment.releases.promotes_from
        if source is not None:
            name = self.environment.name
            raise OlistError(
                f"{name} takes only what is green in {source}",
                f"olist release promote {name}",
            )
        return self._bring(Kind.DEPLOY, bundle)

    def promote(self, wanted: str | None, approvals: Sequence[str]) -> Event:
        """Bring what is green in the environment before, byte for byte.

        Args:
            wanted: Digest it has to have, or as much of it as no other begins with; None for
                whatever is green there.
            approvals: What was approved by name.

        Raises:
            OlistError: It is refused, and every reason is named; or a step fails.
        """
        name, source_name = self.environment.name, self.environment.releases.promotes_from
        if source_name is None:
            raise OlistError(
                f"nothing is promoted to {name}: releases come there first",
                f"olist release deploy {name} <bundle>",
            )
        source = Deployer(load_environment(source_name), self._progress, self._by)
        if wanted:
            wanted = full_digest(source._store, wanted)
        unfinished = self.record.state().unfinished
        if (
            unfinished is not None
            and unfinished.kind is not Kind.ROLLBACK
            and wanted in {None, unfinished.release.digest}
        ):
            # It was admitted when it began; what is green there by now is another matter.
            bundle = self.bundle(unfinished.release.digest)
            return self._bring(Kind.PROMOTE, bundle, unfinished.approvals)
        digest = green_release(source.record.state(), source.record.history(), wanted, name)
        candidate = source.bundle(digest)
        current = self.record.state().current
        running = self.bundle(current.release.digest) if current else None
        found = refusals(candidate, running, name, approvals)
        require_none(found, str(release_of(candidate)), name)
        return self._bring(Kind.PROMOTE, candidate, tuple(approvals))

    def roll_back(self) -> Event:
        """Put the release before back; or take an unfinished deployment back, if there is one.

        One that was killed when all was back is over: the same command goes no release further.

        Raises:
            OlistError: There is no release before, or a step fails.
        """
        untold = self.record.close_last()
        if untold and (untold.kind is Kind.ROLLBACK or untold.result is Result.ABANDONED):
            return untold
        state = self.record.state()
        unfinished = state.unfinished
        if unfinished is not None and unfinished.kind is not Kind.ROLLBACK:
            return self._abandon()
        if unfinished is not None:
            return self._bring(Kind.ROLLBACK, self.bundle(unfinished.release.digest))
        if state.previous is None:
            raise OlistError(
                f"{self.environment.name}: there is no release before to go back to",
                "olist release status shows what ran there",
            )
        return self._bring(Kind.ROLLBACK, self.bundle(state.previous.release.digest))

    def drift(self) -> str:
        """Say what stands otherwise than the release that runs describes; empty where nothing does.

        Raises:
            OlistError: Nothing is deployed, or Pulumi cannot look.
        """
        current = self.record.state().current
        if current is None:
            raise OlistError(f"nothing runs in {self.environment.name}", "olist release status")
        if not self.environment.releases.pulumi:
            return ""
        tree = ReleaseTree(self.environment.name, self.bundle(current.release.digest))
        tree.unpack()
        return PulumiStack(tree).drift()

    def _abandon(self) -> Event:
        deployment = self.record.take_over(self._by)
        with deployment.kept_alive():
            digest = deployment.unfinished.release.digest
            steps = self._steps(deployment, self.bundle(digest))
            return take_back(
                deployment,
                steps.all(),
                self._progress,
                self.environment.name,
                Result.ABANDONED,
            )

    def _bring(self, kind: Kind, bundle: Bundle, approvals: tuple[str, ...] = ()) -> Event:
        # Before anything begins: whoever goes on, or takes it back, finds it there.
        keep_bundle(self._store, bundle)
        deployment = self.record.begin(kind, release_of(bundle), self._by, approvals)
        with deployment.kept_alive():
            steps = self._steps(deployment, bundle).all()
            return carry_out(deployment, steps, self._progress, self.environment.name)

    def _steps(self, deployment: Deployment, bundle: Bundle) -> DeploymentSteps:
        name = self.environment.name
        # The lease is this deployer's by now, so whatever still runs is nobody's.
        stop_leftovers(name)
        tree = ReleaseTree(name, bundle)
        tree.unpack()
        before = deployment.unfinished.before
        former = ReleaseTree(name, self.bundle(before.digest)) if before else None
        if former is not None:
            former.unpack()
        return DeploymentSteps(
            deployment,
            bundle,
            tree,
            former=former,
            store=self._store,
        )
