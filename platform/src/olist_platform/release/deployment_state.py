"""What is known of an environment's releases: which runs, which is under way, what happened.

The current state is one small document that is only ever replaced whole, against the version that
was read. What happened is a document of its own for each deployment, and is never replaced.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from olist_platform.release.bundle_manifest import Sha256, short


class Kind(StrEnum):
    """Why a release was brought to an environment."""

    DEPLOY = "deploy"
    PROMOTE = "promote"
    ROLLBACK = "rollback"


class Result(StrEnum):
    """How a deployment ended; only `deployed` changes what runs."""

    DEPLOYED = "deployed"
    FAILED = "failed"
    ABANDONED = "abandoned"


class StepOutcome(StrEnum):
    """What a step of a deployment came to."""

    BEGUN = "begun"
    DONE = "done"
    STOOD = "stood"
    SKIPPED = "skipped"
    FAILED = "failed"
    PUT_BACK = "put back"


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Release(_Document):
    """A release as the record names it.

    Attributes:
        digest: Digest of its bundle.
        commit: Hash of its commit.
        committed_at: When the commit was made.
        subject: First line of its message.
    """

    digest: Sha256
    commit: str
    committed_at: datetime
    subject: str

    def __str__(self) -> str:
        return f"{short(self.commit)} ({self.subject})"


class Deployed(_Document):
    """A release that was switched to.

    Attributes:
        release: Which.
        at: When readers and DAGs were switched to it.
        by: Who did that.
    """

    release: Release
    at: datetime
    by: str


class Lease(_Document):
    """The right of one process to deploy, for as long as it shows signs of life.

    Attributes:
        token: Known to that process alone.
        by: Who started it.
        host: Machine it runs on.
        pid: Its number there.
        until: When it counts as gone.
    """

    token: str
    by: str
    host: str
    pid: int
    until: datetime


class StepRecord(_Document):
    """What a step came to, and a reason where there is one to tell."""

    outcome: StepOutcome
    reason: str = ""


class Unfinished(_Document):
    """A deployment under way, or one that was interrupted.

    Attributes:
        id: Its number in the environment; its event will have it.
        kind: Why.
        release: What is brought in.
        begun_at: When it began.
        by: Who began it.
        lineage_before: The lineage when it began, which comes back with it.
        approvals: What was approved for it by name.
        steps: What its steps came to so far, in order.
        failure: Why it is being taken back; empty while it goes forward.
        lease: The process that works on it; None when none does.
    """

    id: int
    kind: Kind
    release: Release
    begun_at: datetime
    by: str
    lineage_before: tuple[Deployed, ...]
    approvals: tuple[str, ...] = ()
    steps: dict[str, StepRecord] = Field(default_factory=dict)
    failure: str = ""
    lease: Lease | None = None

    @property
    def before(self) -> Release | None:
        """What ran when it began."""
        return self.lineage_before[-1].release if self.lineage_before else None


class Event(_Document):
    """One deployment, from its beginning to its end.

    Attributes:
        id: Its number, from 1 without a gap.
        kind: Why.
        result: How it ended.
        release: What was brought in.
        runs: What runs since; None where nothing does.
        begun_at: When it began.
        ended_at: When it ended.
        by: Who ended it.
        approvals: What was approved for it by name.
        steps: What its steps came to, in order.
        reason: Why it failed; empty when it did not.
    """

    id: int
    kind: Kind
    result: Result
    release: Release
    runs: Release | None
    begun_at: datetime
    ended_at: datetime
    by: str
    approvals: tuple[str, ...]
    steps: dict[str, StepRecord]
    reason: str = ""


class EnvironmentState(_Document):
    """What runs in an environment, and what is under way.

    Attributes:
        format: Version of this form.
        environment: Its name.
        lineage: Releases that were switched to, the running one last; a rollback takes the last
            one off.
        unfinished: A deployment under way, or None.
        last_event: How the last one ended; its own document is written after this one.
    """

    format: Literal[1] = 1
    environment: str
    lineage: tuple[Deployed, ...] = ()
    unfinished: Unfinished | None = None
    last_event: Event | None = None

    @property
    def current(self) -> Deployed | None:
        """What runs."""
        return self.lineage[-1] if self.lineage else None

    @property
    def previous(self) -> Deployed | None:
        """What a rollback puts back."""
        return self.lineage[-2] if len(self.lineage) > 1 else None

    @property
    def next_id(self) -> int:
        """Number of the next deployment."""
        return self.last_event.id + 1 if self.last_event else 1
