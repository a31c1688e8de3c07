"""A capture as JSON, for tools and for handing it from one process to another; secrets hidden."""

from dataclasses import replace

from pydantic import TypeAdapter, ValidationError

from olist_platform.errors import OlistError
from olist_platform.infrastructure_plan.captured_resources import CapturedProgram, hidden

_ADAPTER = TypeAdapter(CapturedProgram)


def without_secrets(program: CapturedProgram) -> CapturedProgram:
    """Return the capture with every secret replaced by a mark."""
    return replace(
        program,
        resources=tuple(
            replace(resource, inputs=resource.shown_inputs, outputs=hidden(dict(resource.outputs)))
            for resource in program.resources
        ),
        outputs=hidden(dict(program.outputs)),
    )


def to_json(program: CapturedProgram) -> str:
    """Return the capture as JSON."""
    return _ADAPTER.dump_json(without_secrets(program)).decode()


def from_json(text: str) -> CapturedProgram:
    """Return the capture that a JSON text holds.

    Raises:
        OlistError: The text holds none of this form.
    """
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise OlistError(
            f"not a captured program: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        ) from error
