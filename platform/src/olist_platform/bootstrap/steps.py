"""Steps that look before they act, so that a second run, or a run after half a run, is safe."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from olist_platform.errors import OlistError


class Outcome(StrEnum):
    """What a step came to."""

    STANDS = "stands"
    WOULD_DO = "would do"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that has to be so.

    Attributes:
        subject: What it is about.
        wanted: How that has to be.
        stands: Whether it is so already; changes nothing.
        make: Makes it so, whatever there was before.
    """

    subject: str
    wanted: str
    stands: Callable[[], bool]
    make: Callable[[], None]


def carry_out(steps: Sequence[Step], *, apply: bool) -> Iterator[tuple[Step, Outcome]]:
    """Go through steps in order; yield each with its outcome as soon as it is known.

    Args:
        steps: The steps; a later one may need what an earlier one makes.
        apply: Make what is missing; otherwise only say so.

    Raises:
        OlistError: A step cannot be looked at or made, or does not stand once it is made.
    """
    for step in steps:
        if step.stands():
            yield step, Outcome.STANDS
        elif not apply:
            yield step, Outcome.WOULD_DO
        else:
            step.make()
            if not step.stands():
                raise OlistError(
                    f"{step.subject}: made, and still not {step.wanted}",
                    "look at it in the console: a policy of the organization may forbid it",
                )
            yield step, Outcome.DONE
