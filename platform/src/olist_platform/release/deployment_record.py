"""The deployment record of an environment, and the one deployment that may change it.

Every write names the version of the state it was decided on, so of two deployers one wins. A
deployment holds a lease, which it renews; once that has run out, or its process is gone, the same
command takes it over and goes on.
"""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import psutil
from pydantic import BaseModel, ValidationError

from olist_platform.environment import Environment
from olist_platform.errors import OlistError
from olist_platform.release.artifact_store import ArtifactStore, artifact_store
from olist_platform.release.deployment_state import (
    Deployed,
    EnvironmentState,
    Event,
    Kind,
    Lease,
    Release,
    Result,
    StepOutcome,
    StepRecord,
    Unfinished,
)

# Renewed so often within its time that one lost renewal does no harm.
_RENEWALS = 4
_TRIES = 50
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class LeaseLostError(OlistError):
    """Another deployer has taken over; this one must not go on."""


def utc_now() -> datetime:
    """Return the present moment, UTC."""
    return datetime.now(UTC)


class DeploymentRecord:
    """What ran and runs in an environment.

    Attributes:
        environment: Its name.
    """

    def __init__(
        self,
        store: ArtifactStore,
        environment: str,
        lease_seconds: float,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Open the record; nothing is created.

        Args:
            store: The environment's artifact store.
            environment: Its name.
            lease_seconds: How long a deployer may be silent.
            now: The clock.
        """
        self.environment = environment
        self._store = store
        self._lease_for = timedelta(seconds=lease_seconds)
        self._now = now
        self._folder = f"deployments/{environment}"
        self._state_key = f"{self._folder}/state.json"

    @property
    def renew_every_seconds(self) -> float:
        """How often a deployment shows a sign of life."""
        return self._lease_for.total_seconds() / _RENEWALS

    def state(self) -> EnvironmentState:
        """Return what runs, and what is under way.

        Raises:
            OlistError: The store fails, or holds something else.
        """
        return self._read()[0]

    def history(self) -> tuple[Event, ...]:
        """Return every deployment that has ended, the first one first.

        Raises:
            OlistError: The store fails, or an event is missing or damaged.
        """
        last = self.state().last_event
        if last is None:
            return ()
        return (*(self._event(number) for number in range(1, last.id)), last)

    def begin(
        self, kind: Kind, release: Release, by: str, approvals: tuple[str, ...] = ()
    ) -> "Deployment":
        """Begin a deployment, or go on with the one of this release that was interrupted.

        Raises:
            OlistError: Another one is under way or unfinished.
        """
        lease = self._new_lease(by)

        def change(state: EnvironmentState) -> EnvironmentState:
            unfinished = state.unfinished
            if unfinished is None:
                unfinished = Unfinished(
                    id=state.next_id,
                    kind=kind,
                    release=release,
                    begun_at=self._now(),
                    by=by,
                    lineage_before=state.lineage,
                    approvals=approvals,
                )
            else:
                self._require_free(unfinished)
                same_way = (unfinished.kind is Kind.ROLLBACK) == (kind is Kind.ROLLBACK)
                if unfinished.release.digest != release.digest or not same_way:
                    raise self._unfinished_error(unfinished)
            return state.model_copy(
                update={"unfinished": unfinished.model_copy(update={"lease": lease, "failure": ""})}
            )

        self._write_last_event(self.state())
        return Deployment(self, lease, self.update(change))

    def take_over(self, by: str) -> "Deployment":
        """Take over the unfinished deployment, to take it back.

        Raises:
            OlistError: There is none, or its deployer is at work.
        """
        lease = self._new_lease(by)

        def change(state: EnvironmentState) -> EnvironmentState:
            unfinished = state.unfinished
            if unfinished is None:
                raise OlistError(f"{self.environment}: no deployment is unfinished")
            self._require_free(unfinished)
            failure = unfinished.failure or f"taken back by {by}"
            return state.model_copy(
                update={
                    "unfinished": unfinished.model_copy(update={"lease": lease, "failure": failure})
                }
            )

        return Deployment(self, lease, self.update(change))

    def update(self, change: Callable[[EnvironmentState], EnvironmentState]) -> EnvironmentState:
        """Replace the state by what `change` makes of it, on whatever state is there by then.

        Raises:
            OlistError: `change` refuses, or the store fails.
        """
        for _ in range(_TRIES):
            state, version = self._read()
            changed = change(state)
            content = _content(changed)
            written = (
                self._store.create(self._state_key, content)
                if version is None
                else self._store.replace(self._state_key, content, version)
            )
            if written:
                return changed
        raise OlistError(
            f"{self._store.url}: others write {self._state_key} all the time",
            "wait for their end, then run the same command again",
        )

    def close(self, state: EnvironmentState) -> None:
        """Write the document of the event that a state ended with."""
        self._write_last_event(state)

    def close_last(self) -> Event | None:
        """Write the document of the last event, where its deployer was killed before it did.

        Returns:
            That event: who ended it was never told. None where its document was there.
        """
        state = self.state()
        event = state.last_event
        if event is None or self._store.read(self._event_key(event.id)) is not None:
            return None
        self._write_last_event(state)
        return event

    def renewed(self, lease: Lease) -> Lease:
        """Return a lease that runs from now."""
        return lease.model_copy(update={"until": self._now() + self._lease_for})

    def now(self) -> datetime:
        """Return the present moment."""
        return self._now()

    def _read(self) -> tuple[EnvironmentState, str | None]:
        stored = self._store.read(self._state_key)
        if stored is None:
            return EnvironmentState(environment=self.environment), None
        try:
            return EnvironmentState.model_validate_json(stored.content), stored.version
        except ValidationError as error:
            raise OlistError(
                f"{self._store.url}/{self._state_key}: it is no deployment record: "
                f"{error.errors()[0]['msg']}",
                "put its former version back: see platform/docs/operations/failed-release.md",
            ) from error

    def _write_last_event(self, state: EnvironmentState) -> None:
        """Write the last event's document; its deployer may have been killed before it did."""
        event = state.last_event
        if event is None:
            return
        key = self._event_key(event.id)
        if not self._store.create(key, _content(event)):
            raise OlistError(
                f"{self._store.url}/{key}: the history says otherwise than the state",
                "history is never changed: see platform/docs/operations/failed-release.md",
            )

    def _event(self, number: int) -> Event:
        key = self._event_key(number)
        stored = self._store.read(key)
        try:
            if stored is not None:
                return Event.model_validate_json(stored.content)
        except ValidationError:
            pass
        what = "is missing" if stored is None else "is damaged"
        raise OlistError(
            f"{self._store.url}/{key}: this part of the history {what}",
            "put its former version back: see platform/docs/operations/failed-release.md",
        )

    def _event_key(self, number: int) -> str:
        return f"{self._folder}/history/{number:06d}.json"

    def _new_lease(self, by: str) -> Lease:
        return Lease(
            token=secrets.token_hex(16),
            by=by,
            host=_this_machine(),
            pid=os.getpid(),
            until=self._now() + self._lease_for,
        )

    def _require_free(self, unfinished: Unfinished) -> None:
        lease = unfinished.lease
        if lease is None or lease.until <= self._now() or _is_gone(lease):
            return
        raise OlistError(
            f"{self.environment}: {lease.by} is at work on {unfinished.release} on {lease.host}"
            f" (process {lease.pid}); it counts as gone at {lease.until:%H:%M:%S} UTC"
            " unless it shows a sign of life",
            "wait for its end, then run the same command again",
        )

    def _unfinished_error(self, unfinished: Unfinished) -> OlistError:
        environment = self.environment
        go_on = (
            f"olist release rollback {environment}"
            if unfinished.kind is Kind.ROLLBACK
            else f"olist release {unfinished.kind} {environment}"
            f" --digest {unfinished.release.digest}"
        )
        return OlistError(
            f"{environment}: the {unfinished.kind} of {unfinished.release} by {unfinished.by}"
            f" is unfinished",
            f"go on with it: {go_on}\nor take it back: olist release rollback {environment}",
        )


def environment_record(
    environment: Environment, store: ArtifactStore | None = None
) -> DeploymentRecord:
    """Return an environment's deployment record; nothing is contacted.

    Args:
        environment: The environment.
        store: Its artifact store, where the caller has opened it.
    """
    return DeploymentRecord(
        store or artifact_store(environment),
        environment.name,
        environment.releases.lease_seconds,
    )


class Deployment:
    """The deployment under way; only who holds its lease can do anything with it."""

    def __init__(self, record: DeploymentRecord, lease: Lease, state: EnvironmentState) -> None:
        self._record = record
        self._lease = lease
        self._state = state
        self._writing = threading.Lock()

    @property
    def state(self) -> EnvironmentState:
        """The environment's state, as this deployment left it."""
        return self._state

    @property
    def unfinished(self) -> Unfinished:
        """This deployment, as its record has it."""
        assert self._state.unfinished is not None  # noqa: S101 - it has not ended
        return self._state.unfinished

    @contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Renew the lease as long as the block runs; give it back if the block is left early."""
        stop = threading.Event()

        def renew() -> None:
            while not stop.wait(self._record.renew_every_seconds):
                try:
                    self.renew()
                except LeaseLostError:
                    return
                except OlistError:
                    # The store does not answer; the next step will say so if it still does not.
                    continue

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self._give_back()

    def renew(self) -> None:
        """Show a sign of life.

        Raises:
            LeaseLostError: Another deployer has taken over.
        """
        self._change()

    def note(self, step: str, outcome: StepOutcome, reason: str = "") -> None:
        """Record what a step came to; a step is listed where it was first noted.

        Raises:
            LeaseLostError: Another deployer has taken over.
        """
        steps = self.unfinished.steps | {step: StepRecord(outcome=outcome, reason=reason)}
        self._change({"steps": steps})

    def switch(self) -> None:
        """Make the release the one that runs.

        Raises:
            LeaseLostError: Another deployer has taken over.
        """
        unfinished = self.unfinished
        deployed = Deployed(release=unfinished.release, at=self._record.now(), by=self._lease.by)
        before = unfinished.lineage_before
        if unfinished.kind is Kind.ROLLBACK:
            lineage = before[:-1]
        elif unfinished.before == unfinished.release:
            lineage = before
        else:
            lineage = (*before, deployed)
        self._change(lineage=lineage)

    def switch_back(self) -> None:
        """Make the release that ran before the one that runs.

        Raises:
            LeaseLostError: Another deployer has taken over.
        """
        self._change(lineage=self.unfinished.lineage_before)

    def fail(self, reason: str) -> None:
        """Record that the deployment is being taken back, and why.

        Raises:
            LeaseLostError: Another deployer has taken over.
        """
        self._change({"failure": reason})

    def finish(self, result: Result) -> Event:
        """End the deployment.

        Raises:
            LeaseLostError: Another deployer has taken over.
        """
        event: list[Event] = []

        def end(state: EnvironmentState) -> EnvironmentState:
            unfinished = self._own(state)
            event[:] = [
                Event(
                    id=unfinished.id,
                    kind=unfinished.kind,
                    result=result,
                    release=unfinished.release,
                    runs=state.current.release if state.current else None,
                    begun_at=unfinished.begun_at,
                    ended_at=self._record.now(),
                    by=self._lease.by,
                    approvals=unfinished.approvals,
                    steps=unfinished.steps,
                    reason=unfinished.failure,
                )
            ]
            return state.model_copy(update={"unfinished": None, "last_event": event[0]})

        with self._writing:
            self._state = self._record.update(end)
        self._record.close(self._state)
        return event[0]

    def _give_back(self) -> None:
        """Free the place, where this deployment has not ended; somebody may go on at once."""
        try:
            if self._state.unfinished is not None:
                self._change({"lease": None})
        except OlistError:
            # It runs out by itself.
            return

    def _change(
        self,
        unfinished: dict[str, object] | None = None,
        *,
        lineage: tuple[Deployed, ...] | None = None,
    ) -> None:
        def change(state: EnvironmentState) -> EnvironmentState:
            own = self._own(state)
            lease = self._record.renewed(self._lease)
            changed = own.model_copy(update={"lease": lease} | (unfinished or {}))
            return state.model_copy(
                update={
                    "unfinished": changed,
                    "lineage": state.lineage if lineage is None else lineage,
                }
            )

        with self._writing:
            self._state = self._record.update(change)

    def _own(self, state: EnvironmentState) -> Unfinished:
        unfinished = state.unfinished
        if unfinished is None or unfinished.lease is None:
            by = state.last_event.by if state.last_event else "another deployer"
            raise LeaseLostError(f"{self._record.environment}: {by} has ended this deployment")
        if unfinished.lease.token != self._lease.token:
            raise LeaseLostError(
                f"{self._record.environment}: {unfinished.lease.by} has taken this deployment over"
                f" on {unfinished.lease.host}",
                "nothing more is done here; see `olist release status`",
            )
        return unfinished


def _content(document: BaseModel) -> bytes:
    """Return a document as it is stored; steps keep their order."""
    return f"{document.model_dump_json(indent=1)}\n".encode()


@cache
def _this_machine() -> str:
    """Return a name that no other machine has, and this one not again after a restart."""
    boot = _BOOT.read_text(encoding="ascii").strip()[:8] if _BOOT.exists() else ""
    return f"{socket.gethostname()}/{boot}".rstrip("/")


def _is_gone(lease: Lease) -> bool:
    """Whether the process of a lease was on this machine and is no more."""
    return lease.host == _this_machine() and not psutil.pid_exists(lease.pid)
