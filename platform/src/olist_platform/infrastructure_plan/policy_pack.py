"""The real policy pack, served as the Pulumi engine serves it, judging a captured program.

The pack is a process that answers over gRPC. `pulumi up` asks it about each resource and then
about the whole stack; so does this module.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from olist_platform.errors import OlistError
from olist_platform.infrastructure_plan.captured_resources import CapturedProgram, CapturedResource
from olist_platform.repository import repository_root

# How the pack's descriptions separate the reason of a rule from its mend.
_MEND_MARK = "\nmend: "
_ANSWER_SECONDS = 60.0
_STOP_SECONDS = 10.0
_CHANNEL_OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


class EnforcementLevel(StrEnum):
    """What a violation does."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A rule as the pack describes it.

    Attributes:
        id: The rule's id.
        reason: What goes wrong without it.
        mend: What whoever violates it does.
        level: The enforcement level.
    """

    id: str
    reason: str
    mend: str
    level: EnforcementLevel


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """A rule that a resource breaks.

    Attributes:
        rule: The rule's id.
        urn: The resource; empty when the stack as a whole is meant.
        found: What is wrong.
        level: The enforcement level.
    """

    rule: str
    urn: str
    found: str
    level: EnforcementLevel


@dataclass(frozen=True, slots=True)
class PolicyPack:
    """A running pack.

    Attributes:
        rules: Every rule, in the pack's order.
        stub: The gRPC client.
    """

    rules: tuple[PolicyRule, ...]
    stub: Any

    def rule(self, rule_id: str) -> PolicyRule:
        """Return the rule of an id; raises KeyError."""
        return {rule.id: rule for rule in self.rules}[rule_id]

    def violations(self, program: CapturedProgram) -> tuple[Violation, ...]:
        """Return what the pack finds, resource by resource and in the whole stack, sorted.

        Raises:
            OlistError: A rule failed itself.
        """
        by_urn = {resource.urn: resource for resource in program.resources}
        try:
            diagnostics = [
                (diagnostic, resource.urn)
                for resource in program.resources
                for diagnostic in self.stub.Analyze(
                    _analyze_request(resource, by_urn), timeout=_ANSWER_SECONDS
                ).diagnostics
            ]
            stack = analyzer_pb2.AnalyzeStackRequest(
                resources=[_analyzer_resource(resource, by_urn) for resource in program.resources]
            )
            diagnostics += [
                (diagnostic, "")
                for diagnostic in self.stub.AnalyzeStack(stack, timeout=_ANSWER_SECONDS).diagnostics
            ]
        except grpc.RpcError as error:
            raise OlistError(
                f"the policy pack failed: {error.details()}",
                "a rule raised an exception; run its test in tests/policies",
            ) from error
        return tuple(sorted({_violation(diagnostic, urn) for diagnostic, urn in diagnostics}))


@contextmanager
def running_policy_pack(folder: Path | None = None) -> Iterator[PolicyPack]:
    """Serve a pack as long as the block runs.

    Args:
        folder: Where the pack's `__main__.py` lies; the checkout's `policies/` unless told.

    Raises:
        OlistError: The pack does not start.
    """
    folder = folder or repository_root() / "policies"
    main = folder / "__main__.py"
    if not main.is_file():
        raise OlistError(f"{main}: it does not exist", "check the path of the policy pack")
    # The pack imports the packages beside its main file, whatever this process's Python forbids.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"}
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(  # noqa: S603 - this interpreter and a file of the checkout
            [sys.executable, "-u", str(main)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        ) as process,
    ):
        try:
            port = next(iter(process.stdout or ()), "").strip()
            if not port.isdigit():
                process.wait(_STOP_SECONDS)
                complaints.seek(0)
                last_line = (complaints.read().strip().splitlines() or ["it said nothing"])[-1]
                raise OlistError(
                    f"the policy pack {folder} does not start: {last_line}",
                    f"run it to see more: {sys.executable} {main}",
                )
            with grpc.insecure_channel(f"127.0.0.1:{port}", options=_CHANNEL_OPTIONS) as channel:
                stub = analyzer_pb2_grpc.AnalyzerStub(channel)
                info = stub.GetAnalyzerInfo(
                    empty_pb2.Empty(), timeout=_ANSWER_SECONDS, wait_for_ready=True
                )
                yield PolicyPack(tuple(map(_rule, info.policies)), stub)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _rule(info: analyzer_pb2.PolicyInfo) -> PolicyRule:
    reason, _, mend = info.description.partition(_MEND_MARK)
    return PolicyRule(info.name, reason, mend, _level(info.enforcementLevel))


def _violation(diagnostic: analyzer_pb2.AnalyzeDiagnostic, urn: str) -> Violation:
    return Violation(
        rule=diagnostic.policyName,
        urn=diagnostic.urn or urn,
        found=diagnostic.message.removeprefix(diagnostic.description).strip(),
        level=_level(diagnostic.enforcementLevel),
    )


def _level(value: int) -> EnforcementLevel:
    return EnforcementLevel(analyzer_pb2.EnforcementLevel.Name(value).lower())


def _analyze_request(
    resource: CapturedResource, by_urn: dict[str, CapturedResource]
) -> analyzer_pb2.AnalyzeRequest:
    return analyzer_pb2.AnalyzeRequest(**_described(resource, by_urn))


def _analyzer_resource(
    resource: CapturedResource, by_urn: dict[str, CapturedResource]
) -> analyzer_pb2.AnalyzerResource:
    return analyzer_pb2.AnalyzerResource(
        **_described(resource, by_urn),
        parent=resource.parent,
        dependencies=resource.dependencies,
        propertyDependencies={
            key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
            for key, urns in resource.property_dependencies.items()
        },
    )


def _described(resource: CapturedResource, by_urn: dict[str, CapturedResource]) -> dict[str, Any]:
    """What rules of a resource and rules of a stack are told alike."""
    return {
        "type": resource.type,
        "properties": _struct(resource),
        "urn": resource.urn,
        "name": resource.name,
        "options": analyzer_pb2.AnalyzerResourceOptions(
            protect=resource.protect, ignoreChanges=resource.ignore_changes
        ),
        "provider": _provider(resource, by_urn),
    }


def _provider(
    resource: CapturedResource, by_urn: dict[str, CapturedResource]
) -> analyzer_pb2.AnalyzerProviderResource | None:
    """The explicit provider; the reference is its URN and its id."""
    provider = by_urn.get(resource.provider.rpartition("::")[0])
    if provider is None:
        return None
    return analyzer_pb2.AnalyzerProviderResource(
        type=provider.type,
        properties=_struct(provider),
        urn=provider.urn,
        name=provider.name,
    )


def _struct(resource: CapturedResource) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(resource.plain_inputs)
    return struct
