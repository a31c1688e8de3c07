"""The image's entry point: which program gets what, and what it says of what is missing."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local_aws import local_aws, made_up_credentials
from olist_platform import preflight
from olist_platform.container_entrypoint import needs_secrets, process_variables
from olist_platform.environment import S3Landing, load_environment
from olist_platform.naming import EnvironmentName
from olist_platform.runtime_secrets import platform_secrets
from olist_workspace import ROOT
from production_airflow import ENTRYPOINT

PROD = load_environment(EnvironmentName.PROD)


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with local_aws() as address:
        yield address


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "environments").symlink_to(ROOT / "environments")
    (tmp_path / "dbt").symlink_to(ROOT / "dbt")
    return tmp_path


def run(
    home: Path, address: str, *command: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    given = {
        "PATH": os.environ["PATH"],
        "OLIST_ENV": "prod",
        "OLIST_HOME": str(home),
        "AWS_ENDPOINT_URL": address,
        **made_up_credentials(home),
        **variables,
    }
    return subprocess.run(
        [ENTRYPOINT, *command], env=given, cwd=home, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["airflow", "scheduler"], True),
        (["bash", "-c", "exec airflow dag-processor"], True),
        (["bash", "-c", "exec \\ airflow db migrate"], False),
        (["bash", "-c", "exec airflow api-server"], False),
        (["airflow", "jobs", "check", "--job-type", "SchedulerJob"], False),
        (["airflow", "dags", "test", "olist_production"], True),
        (["olist", "status", "--env", "prod"], True),
        (["bash"], True),
        (["airflow"], True),
    ],
)
def test_programs_that_run_code_of_the_platform_need_its_secrets(
    command: list[str], expected: bool
) -> None:
    assert needs_secrets(command) is expected


def test_the_web_page_gets_the_settings_and_no_secret() -> None:
    given = process_variables(PROD, ["airflow", "api-server"], {"AIRFLOW__CORE__PARALLELISM": "3"})
    assert given["AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER"] == (
        "s3://olist-prod-artifacts-222222222222/airflow-logs"
    )
    assert given["AIRFLOW__API__BASE_URL"] == "https://airflow.olist.example"
    # What a compose file or chart says goes before.
    assert given["AIRFLOW__CORE__PARALLELISM"] == "3"
    assert {secret.variable for secret in platform_secrets(PROD)}.isdisjoint(given)


def test_a_variable_that_is_set_goes_before_the_secret(home: Path, aws: str) -> None:
    secrets = platform_secrets(PROD)
    client = secrets_manager(aws)
    for secret in secrets[1:]:
        client.create_secret(Name=secret.name, SecretString=f"of {secret.name}")
    # The first has no value in Secrets Manager, and is given.
    given = {secrets[0].variable: "given"}
    ended = run(home, aws, "env", **given)
    assert ended.returncode == 0, ended.stderr
    seen = dict(line.split("=", 1) for line in ended.stdout.splitlines() if "=" in line)
    assert {secret.variable: seen[secret.variable] for secret in secrets} == given | {
        secret.variable: f"of {secret.name}" for secret in secrets[1:]
    }


def secrets_manager(address: str) -> Any:
    assert isinstance(PROD.landing, S3Landing)
    session = boto3.Session("test", "test", region_name=PROD.landing.region)
    return session.client("secretsmanager", endpoint_url=address)


def test_a_missing_secret_is_named(home: Path, aws: str) -> None:
    ended = run(home, aws, "airflow", "scheduler")
    assert ended.returncode == 1
    assert "secret olist/prod/snowflake/transformer" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("command", "environment", "message"),
    [
        (["airflow", "version"], "", "unknown environment ''"),
        (["airflow", "version"], "local", "it has no production Airflow"),
        ([], "prod", "no program is named"),
        (["aerflow", "db", "check"], "prod", "secret"),
    ],
)
def test_a_mistake_is_said_in_one_line(
    home: Path, aws: str, command: list[str], environment: str, message: str
) -> None:
    ended = run(home, aws, *command, OLIST_ENV=environment)
    assert ended.returncode == 1
    assert message in ended.stderr
    assert "mend:" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_manifest_of_the_image_takes_the_place_of_a_former_one(home: Path, aws: str) -> None:
    shipped, manifest = home / "manifests/prod.json", home / "data/prod/dbt/manifest.json"
    shipped.parent.mkdir()
    for content in ('{"release": 1}', '{"release": 2}'):
        shipped.write_text(content, encoding="utf-8")
        for _ in range(2):
            assert run(home, aws, "true", **all_secrets()).returncode == 0
            assert manifest.read_text(encoding="utf-8") == content
    assert [path.name for path in manifest.parent.iterdir()] == ["manifest.json"]


def all_secrets() -> dict[str, str]:
    return {secret.variable: "given" for secret in platform_secrets(PROD)}


@pytest.mark.parametrize("name", [EnvironmentName.DEV, EnvironmentName.PROD])
def test_every_secret_an_environment_names_has_its_place(name: EnvironmentName) -> None:
    environment = load_environment(name)
    named = {reference.environment_variable for reference in preflight._secrets(environment)}
    assert {secret.variable for secret in platform_secrets(environment)} == named
