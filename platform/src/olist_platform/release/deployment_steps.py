"""What a deployment does, in order, and how each part of it is undone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from olist_platform.errors import OlistError
from olist_platform.release.artifact_store import ArtifactStore
from olist_platform.release.bundle import Bundle
from olist_platform.release.deployment import ReleaseStep
from olist_platform.release.deployment_record import Deployment
from olist_platform.release.deployment_state import Kind, Release
from olist_platform.release.public_marts import public_marts
from olist_platform.release.pulumi_command import PulumiStack
from olist_platform.release.release_tree import ReleaseTree
from olist_platform.release.side_build import SideBuild, side_build
from olist_platform.release.smoke_tests import smoke_faults
from olist_platform.release.stored_bundles import bundle_key, keep_bundle

POLICIES, INFRASTRUCTURE, ARTIFACTS = "policies and plan", "infrastructure", "artifacts"
BUILD, SMOKE, SWITCH, DASHBOARDS = "dbt build", "smoke tests", "switch", "dashboards"
STEP_NAMES = (POLICIES, INFRASTRUCTURE, ARTIFACTS, BUILD, SMOKE, SWITCH, DASHBOARDS)
_VIOLATIONS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class DashboardRefresh:
    """How dashboards are told of new marts.

    Attributes:
        refresh: Tells them and waits for their answer; None where there are none.
        absent: Why there are none.
    """

    refresh: Callable[[], None] | None
    absent: str = "no dashboard service is configured for this environment"


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
        dashboards: DashboardRefresh,
    ) -> None:
        """Take what the steps work on; nothing is done yet.

        Args:
            deployment: The deployment under way.
            bundle: The release.
            tree: The same, unpacked.
            former: The release that runs, unpacked; None where none does.
            store: The environment's artifact store.
            dashboards: How dashboards are told.
        """
        self._deployment = deployment
        self._bundle = bundle
        self._tree = tree
        self._former = former
        self._store = store
        self._dashboards = dashboards
        self._environment = tree.environment()
        self._plan = bundle.plan(self._environment.name)
        self._side: SideBuild = side_build(tree, bundle)
        self._is_rollback = deployment.unfinished.kind is Kind.ROLLBACK
        self._smoked = False
        self._refreshed = False

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
            self._refresh(),
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

    def _refresh(self) -> ReleaseStep:
        refresh = self._dashboards.refresh

        def make() -> None:
            if refresh is not None:
                refresh()
            self._refreshed = True

        return ReleaseStep(
            DASHBOARDS,
            "told of the new marts",
            lambda: self._refreshed,
            make,
            skipped="" if refresh else self._dashboards.absent,
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
