"""A deployer that is a process of its own, so that it can really be killed."""

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import count
from multiprocessing.process import BaseProcess
from typing import Any

from olist_platform.environment import load_environment
from olist_platform.naming import EnvironmentName
from olist_platform.release.deployer import Deployer
from olist_platform.release.s3_artifacts import S3ArtifactStore
from warm_dbt import become, start_fork, warm_dbt


def start_deployer(
    variables: Mapping[str, str],
    environment: EnvironmentName,
    command: str,
    digest: str | None = None,
    *,
    dies_at_write: int | None = None,
    cold: bool = False,
) -> BaseProcess:
    """Start a deployer; its exit code is 0 where it is done, and -9 where it was killed.

    Args:
        variables: Its environment variables.
        environment: Where to.
        command: `deploy`, `promote` or `rollback`.
        digest: Of a bundle that is in the environment's store, for `deploy`.
        dies_at_write: It gets SIGKILL at the moment of its so manieth write to the artifact store,
            from 1: everything it wrote until then is there, and this is not.
        cold: Whether it starts dbt's own program, not a fork that has it imported.
    """
    order = _Order(dict(variables), environment, command, digest, dies_at_write, cold)
    return start_fork(_deploy, (order,))


@dataclass(frozen=True)
class _Order:
    variables: dict[str, str]
    environment: EnvironmentName
    command: str
    digest: str | None
    dies_at_write: int | None
    cold: bool


def _deploy(order: _Order) -> None:
    become(order.variables, order.variables["OLIST_HOME"])
    if order.dies_at_write is not None:
        _die_at(order.dies_at_write)
    deployer = Deployer(load_environment(order.environment), lambda *_: None)
    with nullcontext() if order.cold else warm_dbt():
        match order.command:
            case "promote":
                deployer.promote(None, ())
            case "rollback":
                deployer.roll_back()
            case _:
                assert order.digest is not None
                deployer.deploy(deployer.bundle(order.digest))


def _die_at(last: int) -> None:
    """Let the process kill itself as it is about to write to a store for the last time."""
    writes = count(1)

    def mortal(write: Callable[..., bool]) -> Callable[..., bool]:
        def write_or_die(*arguments: Any) -> bool:
            if next(writes) == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return write(*arguments)

        return write_or_die

    for method in ("create", "replace"):
        setattr(S3ArtifactStore, method, mortal(getattr(S3ArtifactStore, method)))
