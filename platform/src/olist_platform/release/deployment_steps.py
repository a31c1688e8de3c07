"""What a deployment does, in order, and how each part of it is undone."""

from functools import partial
from typing import Any

from olist_platform.errors import OlistError
from olist_platform.release.artifact_store import ArtifactStore
from olist_platform.release.bundle import Bundle
from olist_platform.release.deployment import ReleaseStep
from olist_platform.release.deployment_record import Deployment
from olist_platform.release.deployment_state import Kind, Release
from olist_platform.release.public_marts import public_marts
from olist_platform.release.pulumi_command import PulumiStack
from olist_platform.release.reader_refresh import (
    PAGES,
    POWER_BI,
    ReaderRefresh,
    reader_refreshes,
)
from olist_platform.release.release_tree import ReleaseTree
from olist_platform.release.side_build import SideBuild, side_build
from olist_platform.release.smoke_tests import smoke_faults
from olist_platform.release.stored_bundles import bundle_key, keep_bundle

POLICIES, INFRASTRUCTURE, ARTIFACTS = "policies and plan", "infrastructure", "artifacts"
BUILD, SMOKE, SWITCH = "dbt build", "smoke tests", "switch"
STEP_NAMES = (POLICIES, INFRASTRUCTURE, ARTIFACTS, BUILD, SMOKE, SWITCH, PAGES, POWER_BI)
_VIOLATIONS_SHOWN = 5


def release_of(bundle: Bundle) -> Release:
    """Return a bundle's release as the record names it."""
    manifest = bundle.manifest
    return Release(
        digest=bundle.digest,
        commit=manifest.commit,
        committed_at=manifest.committed_at,
        subject=manifest.subject,
    )


class DeploymentSteps:
    """The steps of one deployment, made for one release and the one before it."""

    def __init__(
        self,
        deployment: Deployment,
        bundle: Bundle,
        tree: ReleaseTree,
        *,
        former: ReleaseTree | None,
        store: ArtifactStore,
    ) -> None:
        """Take what the steps work on; nothing is done yet.

        Args:
            deployment: The deployment under way.
            bundle: The release.
            tree: The same, unpacked.
            former: The release that runs, unpacked; None where none does.
            store: The environment's artifact store.
        """
        self._deployment = deployment
        self._bundle = bundle
        self._tree = tree
        self._former = former
        self._store = store
        self._readers = reader_refreshes(tree)
        self._environment = tree.environment()
        self._plan = bundle.plan(self._environment.name)
        self._side: SideBuild = side_build(tree, bundle)
        self._is_rollback = deployment.unfinished.kind is Kind.ROLLBACK
        self._smoked = False
        self._told: set[str] = set()

    def all(self) -> tuple[ReleaseStep, ...]:
        """Return the steps, in order."""
        return (
            self._policies(),
            self._infrastructure(),
            ReleaseStep(ARTIFACTS, "in the artifact store", self._is_stored, self._keep_bundle),
            self._build(),
            self._smoke(),
            ReleaseStep(
                SWITCH,
                "what readers see and the DAGs run",
                self._is_switched,
                self._switch,
                self._switch_back,
            ),
            *(self._tell(reader) for reader in self._readers),
        )

    def _policies(self) -> ReleaseStep:
        skipped = "" if self._plan else "the environment has no cloud side"
        return ReleaseStep(
            POLICIES, "obeyed", self._obeys_policies, self._refuse_plan, skipped=skipped
        )

    def _obeys_policies(self) -> bool:
        return self._plan is None or bool(self._plan["passes"])

    def _refuse_plan(self) -> None:
        assert self._plan is not None  # noqa: S101 - it does not pass
        raise OlistError(
            "the plan breaks mandatory rules: " + "; ".join(broken_rules(self._plan)),
            f"olist plan {self._environment.name} says where and what to do",
        )

    def _infrastructure(self) -> ReleaseStep:
        if not self._environment.releases.pulumi:
            reason = "no infrastructure of this environment is Pulumi's"
            return ReleaseStep(INFRASTRUCTURE, "up", lambda: True, lambda: None, skipped=reason)
        stack = PulumiStack(self._tree)
        return ReleaseStep(
            INFRASTRUCTURE, "as the release describes it", stack.stands, stack.up, self._former_up
        )

    def _former_up(self) -> None:
        """Bring the infrastructure to what the former release describes."""
        if self._former is None:
            return
        stack = PulumiStack(self._former)
        if not stack.stands():
            stack.up()

    def _is_stored(self) -> bool:
        stored = self._store.read(bundle_key(self._bundle.digest))
        return (
            stored is not None and stored.content == self._bundle.archive and self._tree.is_whole()
        )

    def _keep_bundle(self) -> None:
        keep_bundle(self._store, self._bundle)
        self._tree.unpack()

    def _keeps_former_marts(self) -> str:
        """Why a rollback builds nothing; empty where it has to, or for any other deployment."""
        kept = self._side.kept_marts() if self._is_rollback else ""
        return f"the marts that readers had under this release are kept: {kept}" if kept else ""

    def _build(self) -> ReleaseStep:
        return ReleaseStep(
            BUILD,
            "built on the data that is there now",
            self._side.is_built,
            lambda: self._side.build(self._former),
            skipped=self._keeps_former_marts(),
        )

    def _smoke(self) -> ReleaseStep:
        return ReleaseStep(
            SMOKE,
            "passed",
            lambda: self._smoked,
            self._smoke_test,
            skipped=self._keeps_former_marts(),
        )

    def _smoke_test(self) -> None:
        faults = smoke_faults(
            self._side.facts(),
            self._side.served_facts(),
            tuple(public_marts(self._bundle.dbt_manifest(self._environment.name))),
            self._environment.releases.smallest_row_share,
        )
        if faults:
            raise OlistError("smoke tests fail: " + "; ".join(faults))
        self._smoked = True

    def _is_switched(self) -> bool:
        current = self._deployment.state.current
        return (
            current is not None
            and current.release.digest == self._bundle.digest
            and self._side.is_published()
        )

    def _switch(self) -> None:
        former = self._former.digest if self._former else None
        if not self._side.is_published():
            publish = self._side.publish_kept if self._keeps_former_marts() else self._side.publish
            publish(former)
        self._deployment.switch()

    def _switch_back(self) -> None:
        self._side.put_back(self._former.digest if self._former else None)
        self._deployment.switch_back()
        # Whoever was told of the new marts is told again, now that the former ones are back.
        begun = self._deployment.unfinished.steps
        if self._former is not None:
            for reader in reader_refreshes(self._former):
                if reader.name in begun and not reader.skipped:
                    reader.tell(self._former)

    def _tell(self, reader: ReaderRefresh) -> ReleaseStep:
        def make() -> None:
            reader.tell(self._tree)
            self._told.add(reader.name)

        return ReleaseStep(
            reader.name,
            "told of the new marts",
            partial(self._told.__contains__, reader.name),
            make,
            skipped=reader.skipped,
        )


def broken_rules(plan: dict[str, Any]) -> list[str]:
    """Return the mandatory rules that a plan breaks, with what was found."""
    broken = [
        f"{violation['rule']}: {violation['found']}"
        for violation in plan["violations"]
        if violation["level"] == "mandatory"
    ]
    if len(broken) > _VIOLATIONS_SHOWN:
        broken[_VIOLATIONS_SHOWN:] = [f"{len(broken) - _VIOLATIONS_SHOWN} more"]
    return broken
