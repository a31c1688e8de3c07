"""Run the real Pulumi program against a monitor that records instead of an engine that deploys.

No Pulumi CLI, no credentials and no network. The provider's own check of the arguments does not
run, so what only it would refuse is not seen here.
"""

import asyncio
import importlib
import json
import logging
import os
import runpy
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi import get_project, get_stack
from pulumi.runtime import set_all_config
from pulumi.runtime.mocks import MockEngine, MockMonitor, MockSettings
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.rpc import (
    _special_resource_sig,
    _special_secret_sig,
    _special_sig_key,
)
from pulumi.runtime.settings import SETTINGS, configure
from pulumi.runtime.stack import run_in_stack

from olist_platform.cloud_settings import CloudSettings
from olist_platform.environment import Environment, S3Landing
from olist_platform.errors import OlistError
from olist_platform.infrastructure_plan.captured_resources import (
    CapturedProgram,
    CapturedResource,
    Secret,
)
from olist_platform.infrastructure_plan.mock_outputs import PlausibleCloud
from olist_platform.repository import repository_root
from olist_platform.yaml_file import read_yaml_mapping

STACK_TYPE = "pulumi:pulumi:Stack"
# Stands for a value of the stack's config that only the secrets provider can decrypt.
ENCRYPTED_VALUE = "decrypted-only-by-the-secrets-provider"
# A program is done in about a second; one that waits longer waits for an output that never comes.
_TIMEOUT_SECONDS = 120.0


def program_folder() -> Path:
    """Folder of the checkout's Pulumi program."""
    return repository_root() / "infra"


def cloud_side(environment: Environment) -> tuple[S3Landing, CloudSettings]:
    """Return where an environment lands and what its clouds are allowed to be.

    Raises:
        OlistError: It runs on one machine and has no cloud side.
    """
    if environment.cloud is None or not isinstance(environment.landing, S3Landing):
        raise OlistError(
            f"environment '{environment.name}' has no cloud side, so there is nothing to plan",
            "use an environment on Snowflake and AWS, such as dev or prod",
        )
    return environment.landing, environment.cloud


def capture_program(environment: Environment, folder: Path | None = None) -> CapturedProgram:
    """Run a Pulumi program for an environment and return what it registers.

    Args:
        environment: The environment; its name is the stack's.
        folder: Where `Pulumi.yaml` and `__main__.py` lie; the checkout's `infra/` unless told.

    Raises:
        OlistError: The environment has no cloud side, a file is missing, or the program fails.
    """
    folder = (folder or program_folder()).resolve()
    landing, _ = cloud_side(environment)
    project = _read_yaml(folder / "Pulumi.yaml")
    name = str(project["name"])
    config, secret_keys = _stack_config(folder, project, environment.name)
    main = folder / "__main__.py"
    if not main.is_file():
        raise OlistError(f"{main}: it does not exist", "check the path of the Pulumi program")
    monitor = _CapturingMonitor(PlausibleCloud(landing.aws_account_id, landing.region))
    with _importable(folder), _output_text_refused():
        try:
            asyncio.run(
                _deploy(
                    lambda: runpy.run_path(str(main), run_name="__main__"),
                    monitor=monitor,
                    project=name,
                    stack=environment.name,
                    config=config,
                    secret_keys=secret_keys,
                )
            )
        except TimeoutError:
            raise OlistError(
                f"{main}: the program did not end for '{environment.name}' "
                f"within {_TIMEOUT_SECONDS:.0f} seconds",
                "look for an output that waits for itself",
            ) from None
        except Exception as error:
            raise _explained(error, folder, environment.name) from error
    return CapturedProgram(
        project=name,
        stack=environment.name,
        resources=monitor.captured(folder),
        outputs=monitor.stack_outputs,
    )


class _CapturingMonitor(MockMonitor):
    """The mock monitor, keeping the requests: they carry what mocks are not shown."""

    def __init__(self, mocks: PlausibleCloud) -> None:
        super().__init__(mocks)
        self._requests: dict[str, resource_pb2.RegisterResourceRequest] = {}
        self._outputs: dict[str, dict[str, Any]] = {}
        self._stack_urn = ""
        # Requests come from the threads of an executor.
        self._lock = threading.Lock()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Qualify the type as the engine does: by all its parents' types, never the stack's.

        Source: sdk/go/common/resource/urn.go of Pulumi.
        """
        parent_type = parent.split("::")[2] if parent else ""
        qualified = f"{parent_type}${type_}" if parent_type not in {"", STACK_TYPE} else type_
        return f"urn:pulumi:{get_stack()}::{get_project()}::{qualified}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name of the RPC
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        with self._lock:
            if request.type == STACK_TYPE:
                self._stack_urn = response.urn
            elif response.urn in self._requests:
                raise OlistError(
                    f"two resources are registered as {response.urn}",
                    "give one of them another logical name",
                )
            else:
                self._requests[response.urn] = request
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the name of the RPC
        with self._lock:
            self._outputs[request.urn] = _properties(request.outputs)
        return empty_pb2.Empty()

    @property
    def stack_outputs(self) -> dict[str, Any]:
        return self._outputs.get(self._stack_urn, {})

    def captured(self, folder: Path) -> tuple[CapturedResource, ...]:
        """Every resource of the program in a folder, by URN; threads register them in any order."""
        return tuple(
            CapturedResource(
                urn=urn,
                type=request.type,
                name=request.name,
                is_component=not request.custom,
                inputs=_properties(request.object),
                parent=request.parent,
                dependencies=tuple(sorted(request.dependencies)),
                property_dependencies={
                    key: tuple(sorted(value.urns))
                    for key, value in sorted(request.propertyDependencies.items())
                    if value.urns
                },
                protect=request.protect,
                provider=request.provider,
                ignore_changes=tuple(request.ignoreChanges),
                outputs=self._outputs.get(urn, {}),
                declared_at=_place(request, folder),
            )
            for urn, request in sorted(self._requests.items())
        )


def _place(request: Any, folder: Path) -> str:
    """File and line that made a resource, from the folder's parent on; empty when elsewhere."""
    path = Path(unquote(urlsplit(request.sourcePosition.uri).path))
    if not path.is_relative_to(folder):
        return ""
    return f"{path.relative_to(folder.parent)}:{request.sourcePosition.line}"


async def _deploy(
    program: Callable[[], object],
    *,
    monitor: MockMonitor,
    project: str,
    stack: str,
    config: dict[str, str],
    secret_keys: list[str],
) -> None:
    """Do what Pulumi's language host does, with the recording monitor in the engine's place."""
    # Left by a capture that failed; its event loop is gone.
    SETTINGS.outputs.clear()
    silent = logging.getLogger(f"{__name__}.engine")
    silent.propagate = False
    silent.addHandler(logging.NullHandler())
    configure(
        MockSettings(  # type: ignore[no-untyped-call]
            monitor=monitor,
            engine=MockEngine(silent),
            project=project,
            stack=stack,
            dry_run=False,
            organization="organization",
            callbacks=None,
        )
    )
    set_all_config(config, secret_keys)

    def run() -> None:
        program()

    await asyncio.wait_for(run_in_stack(run), _TIMEOUT_SECONDS)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let the program import the packages beside it, as they are now, and forget them afterwards.

    Another program's packages may have the same names, and an edited one's the same place.
    """
    own = {path.parent.name for path in folder.glob("*/__init__.py")}
    _forget(own)
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        _forget(own)


def _forget(packages: set[str]) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in packages]:
        del sys.modules[name]


@contextmanager
def _output_text_refused() -> Iterator[None]:
    """Make text formatted from an unresolved output an error, as no provider would say so."""
    variable = "PULUMI_ERROR_OUTPUT_STRING"
    before = os.environ.get(variable)
    os.environ[variable] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before


def _explained(error: Exception, folder: Path, stack: str) -> OlistError:
    """Return the user's own error in the chain, or one that names the program's line."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    for link in chain:
        if isinstance(link, OlistError):
            return link
    # Pulumi explains at length; its first line says what.
    said = (str(error).splitlines() or [""])[0]
    frames = [
        frame
        for link in chain
        for frame in traceback.extract_tb(link.__traceback__)
        if Path(frame.filename).is_relative_to(folder)
    ]
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return OlistError(
        f"the Pulumi program {folder} failed for '{stack}'{place}: {type(error).__name__}: {said}",
        "mend the program, or the environment's file it reads",
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    return read_yaml_mapping(path, "see Pulumi's project file reference")


def _stack_config(
    folder: Path, project: dict[str, Any], stack: str
) -> tuple[dict[str, str], list[str]]:
    """Return the config that Pulumi would hand to the program, and the keys that are secret.

    Source: sdk/go/common/workspace/paths.go (the path) and Pulumi's stack settings file reference.
    """
    path = folder / project.get("stackConfigDir", ".") / f"Pulumi.{stack}.yaml"
    if not path.exists():
        raise OlistError(
            f"{path}: it does not exist",
            f"see environments/README.md; then `olist bootstrap {stack} --apply` adds the keys",
        )
    settings = _read_yaml(path).get("config") or {}
    config: dict[str, str] = {}
    secret_keys: list[str] = []
    for key, value in settings.items():
        full_key = key if ":" in key else f"{project['name']}:{key}"
        if isinstance(value, dict) and set(value) == {"secure"}:
            config[full_key] = ENCRYPTED_VALUE
            secret_keys.append(full_key)
        else:
            config[full_key] = value if isinstance(value, str) else json.dumps(value)
    return config, secret_keys


def _properties(struct: struct_pb2.Struct) -> dict[str, Any]:
    return {key: _decoded(value) for key, value in json_format.MessageToDict(struct).items()}


def _decoded(value: Any) -> Any:
    """Undo the engine's encoding of secrets and of references to resources."""
    if isinstance(value, list):
        return [_decoded(part) for part in value]
    if not isinstance(value, dict):
        return value
    match value.get(_special_sig_key):
        case signature if signature == _special_secret_sig:
            return Secret(_decoded(value["value"]))
        case signature if signature == _special_resource_sig:
            return value["urn"]
        case _:
            return {key: _decoded(part) for key, part in value.items()}
