"""What a container of the platform's image runs first: settings and secrets, then the program.

It is `/entrypoint` of the image; the chart's probes call it by that name.
"""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from olist_platform.airflow_settings import production_settings
from olist_platform.aws_errors import aws_errors_explained
from olist_platform.dbt_command import manifest_path
from olist_platform.environment import Environment, load_environment, parse_environment_name
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.naming import EnvironmentName
from olist_platform.repository import repository_root
from olist_platform.runtime_secrets import RuntimeSecret, platform_secrets

# Of Airflow's commands, those that run no code of the platform: the web page and the probes get no
# key of the warehouse.
_WITHOUT_SECRETS = {"api-server", "config", "db", "info", "jobs", "roles", "users", "version"}


def main() -> None:
    """Take the place of the program that the arguments name, with its settings and secrets."""
    try:
        _run(sys.argv[1:])
    except OlistError as error:
        sys.exit(f"error: {error.message}\nmend:  {error.mend}")


def _run(command: Sequence[str]) -> None:
    if not command:
        raise OlistError("no program is named", "for example: /entrypoint airflow scheduler")
    environment = load_environment(parse_environment_name(os.environ.get("OLIST_ENV", "")))
    variables = process_variables(environment, command, os.environ)
    put_manifest_in_place(environment)
    program = shutil.which(command[0], path=variables.get("PATH"))
    if program is None:
        raise OlistError(
            f"{command[0]}: no such program", "for example: /entrypoint airflow scheduler"
        )
    os.execve(program, list(command), variables)  # noqa: S606 - it takes over


def process_variables(
    environment: Environment, command: Sequence[str], inherited: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables of a program: the settings, and the secrets if it may have them.

    What is inherited goes before both: the compose file and the chart know their own network.

    Raises:
        OlistError: A secret is missing, or Secrets Manager cannot be asked.
    """
    variables = production_settings(environment) | dict(inherited)
    wanted = [
        secret for secret in platform_secrets(environment) if not variables.get(secret.variable)
    ]
    if wanted and needs_secrets(command):
        variables |= read_secrets(wanted, variables["AWS_DEFAULT_REGION"])
    return variables


def needs_secrets(command: Sequence[str]) -> bool:
    """Whether a program runs code of the platform: Airflow's parts that do, `olist`, a shell."""
    # The chart starts Airflow as `bash -c "exec airflow scheduler"`.
    words = command[-1].split() if command[0] in ("bash", "sh") else list(command)
    if "airflow" not in words[:-1]:
        return True
    return words[words.index("airflow") + 1] not in _WITHOUT_SECRETS


def read_secrets(secrets: Sequence[RuntimeSecret], region: str) -> dict[str, str]:
    """Return the values of secrets by their variables.

    Raises:
        OlistError: One has no value, may not be read, or Secrets Manager does not answer.
    """
    # Most programs here are probes, which need none.
    import boto3  # noqa: PLC0415

    client: Any = boto3.Session(region_name=region).client("secretsmanager")
    values = {}
    for secret in secrets:
        with aws_errors_explained(f"secret {secret.name}", service="Secrets Manager"):
            values[secret.variable] = client.get_secret_value(SecretId=secret.name)["SecretString"]
    return values


def shipped_manifest_path(name: EnvironmentName) -> Path:
    """Return where the image holds an environment's dbt manifest: beside, not in, its data."""
    return repository_root() / "manifests" / f"{name}.json"


def put_manifest_in_place(environment: Environment) -> None:
    """Copy the image's manifest to where Cosmos looks: a volume there may have a former one.

    Raises:
        OlistError: The folder cannot be written.
    """
    shipped, manifest = shipped_manifest_path(environment.name), manifest_path(environment)
    if not shipped.exists():
        return
    with os_errors_explained(manifest):
        if manifest.exists() and manifest.read_bytes() == shipped.read_bytes():
            return
        manifest.parent.mkdir(parents=True, exist_ok=True)
        # Several containers may share the folder.
        draft = manifest.with_suffix(f".{os.getpid()}.{os.uname().nodename}")
        shutil.copyfile(shipped, draft)
        draft.replace(manifest)
