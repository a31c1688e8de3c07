"""Carrying a release through the steps of its deployment, and taking it back where one fails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from olist_platform.errors import OlistError, from_os_error
from olist_platform.release.deployment_record import Deployment, LeaseLostError
from olist_platform.release.deployment_state import Event, Result, StepOutcome

Progress = Callable[[str, StepOutcome, str], None]
"""Told a step, what it came to, and the reason where there is one."""


@dataclass(frozen=True, slots=True)
class ReleaseStep:
    """One thing that a deployment makes so.

    Attributes:
        name: What it is called in the record.
        wanted: How that has to be.
        stands: Whether it is so already; changes nothing.
        make: Makes it so, whatever an interrupted try left.
        put_back: Makes it as it was under the release before; None where readers, DAGs and
            infrastructure see nothing of the step.
        skipped: Why there is nothing to do in this environment; empty where there is.
    """

    name: str
    wanted: str
    stands: Callable[[], bool]
    make: Callable[[], None]
    put_back: Callable[[], None] | None = None
    skipped: str = ""


class DeploymentFailedError(OlistError):
    """A step failed, and everything was put back.

    Attributes:
        event: How the deployment ended.
    """

    def __init__(self, event: Event, environment: str) -> None:
        runs = f"{event.runs} runs there as before" if event.runs else "nothing runs there yet"
        super().__init__(
            f"{environment}: the {event.kind} of {event.release} failed: {event.reason}\n"
            f"it was taken back: {runs}",
            "see platform/docs/operations/failed-release.md",
        )
        self.event = event


def carry_out(
    deployment: Deployment, steps: Sequence[ReleaseStep], progress: Progress, environment: str
) -> Event:
    """Go through the steps, each looked at before and after; the caller keeps the deployment alive.

    Interrupted, the deployment stays unfinished, and the same steps go on where it stopped. Where
    a step fails, what was done is put back in reverse order.

    Raises:
        DeploymentFailedError: A step failed, and the environment is as it was before.
        LeaseLostError: Another deployer has taken over.
        OlistError: A step failed, and so did putting it back.
    """
    try:
        for step in steps:
            _take(deployment, step, progress)
    except LeaseLostError:
        raise
    except Exception as error:
        deployment.fail(_reason(error))
        event = take_back(deployment, steps, progress, environment, Result.FAILED)
        raise DeploymentFailedError(event, environment) from error
    return deployment.finish(Result.DEPLOYED)


def take_back(
    deployment: Deployment,
    steps: Sequence[ReleaseStep],
    progress: Progress,
    environment: str,
    result: Result,
) -> Event:
    """Put everything back that a deployment did or may have done, and end it.

    Raises:
        OlistError: That fails; the deployment stays unfinished.
    """
    begun = deployment.unfinished.steps
    for step in reversed(steps):
        record = begun.get(step.name)
        if step.put_back is None or record is None or record.outcome is StepOutcome.SKIPPED:
            continue
        try:
            step.put_back()
        except LeaseLostError:
            raise
        except Exception as error:
            raise OlistError(
                f"{environment}: {deployment.unfinished.failure}\n"
                f"{step.name} could not be put back: {_reason(error)}",
                f"mend that, then: olist release rollback {environment}",
            ) from error
        reason = record.reason if record.outcome is StepOutcome.FAILED else ""
        deployment.note(step.name, StepOutcome.PUT_BACK, reason)
        progress(step.name, StepOutcome.PUT_BACK, "")
    return deployment.finish(result)


def _take(deployment: Deployment, step: ReleaseStep, progress: Progress) -> None:
    if step.skipped:
        deployment.note(step.name, StepOutcome.SKIPPED, step.skipped)
        progress(step.name, StepOutcome.SKIPPED, step.skipped)
        return
    # Noted before anything is done: what may have been done has to be put back.
    deployment.note(step.name, StepOutcome.BEGUN)
    progress(step.name, StepOutcome.BEGUN, "")
    try:
        stood = step.stands()
        if not stood:
            step.make()
            if not step.stands():
                raise OlistError(f"{step.name}: done, and still not {step.wanted}")  # noqa: TRY301
    except LeaseLostError:
        raise
    except Exception as error:
        deployment.note(step.name, StepOutcome.FAILED, _reason(error))
        progress(step.name, StepOutcome.FAILED, _reason(error))
        raise
    outcome = StepOutcome.STOOD if stood else StepOutcome.DONE
    deployment.note(step.name, outcome)
    progress(step.name, outcome, "")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        error = from_os_error(error)
    if isinstance(error, OlistError):
        return error.message + (f" ({error.mend})" if error.mend else "")
    return f"{type(error).__name__}: {error}"
