"""Airflow as production runs it, whole: PostgreSQL, scheduler, logs in S3, secrets of AWS.

Every program is started by the image's entry point with what a container would be given. S3 and
Secrets Manager are moto's server, PostgreSQL is Debian's.
"""

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import boto3
import psutil
import psycopg2
import pytest
from cryptography.fernet import Fernet
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from free_port import free_port
from local_aws import local_aws, made_up_credentials
from local_postgres import local_postgres, require_postgres
from olist_platform.environment import S3Landing, load_environment
from olist_platform.naming import EnvironmentName
from olist_platform.release.bundle import Bundle
from olist_platform.release.bundle_manifest import short
from olist_platform.runtime_secrets import airflow_secrets, platform_secrets
from olist_workspace import ROOT
from production_airflow import ENTRYPOINT, ProductionAirflow
from release_bundles import bundle_with_library, note_deployed
from yaml_files import read_yaml

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ENVIRONMENT = load_environment(EnvironmentName.PROD)
NAMES = ENVIRONMENT.names
assert isinstance(ENVIRONMENT.landing, S3Landing)
REGION = ENVIRONMENT.landing.region
BUCKET = NAMES.artifact_bucket(ENVIRONMENT.landing.aws_account_id)
DAG_ID = "olist_trial"
# It looks at what a task of ours may rely on, and hands it on so that it ends in the database.
TRIAL_DAG = """
import os

from airflow.sdk import DAG, BaseHook, Variable, task

from olist_dags.dag_environment import current_environment, release_tags
from olist_platform.preflight import check_release

with DAG(
    dag_id="olist_trial", schedule=None, is_paused_upon_creation=False, tags=release_tags()
):

    @task
    def look():
        print("the task log goes to S3")
        return {
            "host": BaseHook.get_connection("warehouse_trial").host,
            "variable": Variable.get("greeting"),
            "environment": current_environment().name.value,
            "slack": os.environ["OLIST_SLACK_TOKEN"],
            "release": check_release(current_environment()),
        }

    @task
    def judge(seen):
        assert seen["environment"] == "prod", seen
        return sorted(seen)

    judge(look())
"""


@dataclass(frozen=True)
class Trial:
    """A run of the small DAG that has ended, in an Airflow that still runs.

    `secrets` has the values in Secrets Manager by the variables that hold them, `variables` what
    each part of Airflow was started with.
    """

    airflow: ProductionAirflow
    database: str
    s3: Any
    token: str
    run_id: str
    secrets: dict[str, str]
    variables: dict[str, dict[str, str]]
    release: Bundle

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg2.connect(f"postgresql://{self.database}") as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def fill_secrets(client: Any, database: str) -> dict[str, str]:
    """Give every secret of the environment a value; return them by their variables."""
    values = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
        "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
    }
    for secret in (*airflow_secrets(ENVIRONMENT), *platform_secrets(ENVIRONMENT)):
        value = values.setdefault(secret.variable, f"{secret.key}-{secrets.token_hex(16)}")
        client.create_secret(Name=secret.name, SecretString=value)
    client.create_secret(
        Name=NAMES.secret("airflow/connections/warehouse_trial"),
        SecretString="postgres://reader:hush@trial.olist.example/olist",
    )
    client.create_secret(Name=NAMES.secret("airflow/variables/greeting"), SecretString="bom dia")
    return values


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    require_postgres()
    home = tmp_path_factory.mktemp("production")
    for folder in ("dbt", "environments"):
        (home / folder).symlink_to(ROOT / folder)
    port = free_port()
    with local_postgres("airflow") as database, local_aws() as address:
        variables = made_up_credentials(home) | {
            "PATH": os.pathsep.join([str(ENTRYPOINT.parent), os.environ["PATH"]]),
            "OLIST_ENV": "prod",
            "OLIST_HOME": str(home),
            "AIRFLOW_HOME": str(home / "airflow"),
            "AWS_ENDPOINT_URL": address,
            "NO_PROXY": "127.0.0.1",
            "PYTHONSAFEPATH": "1",
            # What the compose file says of its network, and one process for the web page.
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__WORKERS": "1",
        }
        session: Any = boto3.Session("test", "test", region_name=REGION)
        s3 = session.client("s3", endpoint_url=address)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        release = bundle_with_library(1, {"dags/trial.py": TRIAL_DAG.encode()})
        with pytest.MonkeyPatch.context() as patch:
            for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
                patch.setenv(name, variables[name])
            note_deployed(ENVIRONMENT, release)
        values = fill_secrets(session.client("secretsmanager", endpoint_url=address), database)
        airflow = ProductionAirflow(home, port, variables)
        airflow.run("airflow", "db", "migrate")
        # Before the web page starts: both write the permissions of roles.
        airflow.run(
            *("airflow", "users", "create", "--role", "Admin", "--username", "ana"),
            *("--firstname", "Ana", "--lastname", "Lima", "--email", "ana@olist.example"),
            *("--password", "hush"),
        )
        with airflow.services("api-server", "scheduler", "dag-processor") as processes:
            token, run_id = run_trial(airflow)
            started_with = {
                name: psutil.Process(number).environ() for name, number in processes.items()
            }
            yield Trial(airflow, database, s3, token, run_id, values, started_with, release)


def run_trial(airflow: ProductionAirflow) -> tuple[str, str]:
    """Log in and run the small DAG to its end; return the token and the run's id."""
    parts = ("metadatabase", "scheduler", "dag_processor")
    airflow.wait_for(
        "/api/v2/monitor/health",
        lambda health: all(health[part]["status"] == "healthy" for part in parts),
    )
    token = airflow.ask("/auth/token", body={"username": "ana", "password": "hush"})["access_token"]
    airflow.wait_for("/api/v2/dags", lambda found: found["total_entries"] == 1, token)
    runs = f"/api/v2/dags/{DAG_ID}/dagRuns"
    run_id = airflow.ask(runs, token, body={"logical_date": None})["dag_run_id"]
    ended = ("success", "failed")
    run = airflow.wait_for(f"{runs}/{run_id}", lambda run: run["state"] in ended, token)
    assert run["state"] == "success", airflow.logs()
    return token, run_id


def test_the_run_is_in_postgresql(trial: Trial) -> None:
    assert trial.rows("select dag_id, run_id, state from dag_run") == [
        (DAG_ID, trial.run_id, "success")
    ]
    assert trial.rows("select task_id, state, try_number from task_instance order by task_id") == [
        ("judge", "success", 1),
        ("look", "success", 1),
    ]
    jobs = trial.rows("select distinct job_type from job where state = 'running'")
    assert {job for (job,) in jobs} == {"SchedulerJob", "DagProcessorJob"}


def test_the_run_is_of_the_deployed_release_and_shows_it(trial: Trial) -> None:
    assert trial.rows("select bundle_version from dag_run") == [(trial.release.digest,)]
    assert trial.rows("select bundle_name, bundle_version from dag_version") == [
        ("olist", trial.release.digest)
    ]
    tag = f"release {trial.release.manifest.short_commit}"
    assert trial.rows("select name from dag_tag") == [(tag,)]


def test_a_task_resolves_connections_and_variables_of_secrets_manager(trial: Trial) -> None:
    [(value,)] = trial.rows("select value from xcom where task_id = 'look'")
    seen = value if isinstance(value, dict) else json.loads(value)
    assert seen == {
        "host": "trial.olist.example",
        "variable": "bom dia",
        "environment": "prod",
        "slack": trial.secrets["OLIST_SLACK_TOKEN"],
        "release": f"release {short(trial.release.manifest.commit)} (Release 1), digest"
        f" {trial.release.digest}",
    }
    assert trial.rows("select count(*) from connection where conn_id = 'warehouse_trial'") == [(0,)]


def test_the_log_of_a_task_is_in_s3_and_the_web_page_reads_it_there(trial: Trial) -> None:
    key = key_of_log(trial.s3, "look")
    assert key.startswith(f"airflow-logs/dag_id={DAG_ID}/run_id={trial.run_id}/")
    stored = trial.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    assert "the task log goes to S3" in stored
    # The copy of this disk is deleted, so what the web page shows is S3's.
    local = list((trial.airflow.home / "airflow" / "logs").rglob("task_id=look/*.log"))
    assert local == []
    shown = trial.airflow.ask(
        f"/api/v2/dags/{DAG_ID}/dagRuns/{quote(trial.run_id)}/taskInstances/look/logs/1",
        trial.token,
    )
    assert "the task log goes to S3" in json.dumps(shown["content"])
    assert f"s3://{BUCKET}/{key}" in json.dumps(shown["content"])


# A task has ended before its log is stored.
@retry(stop=stop_after_delay(60), wait=wait_fixed(0.5), retry=retry_if_exception_type(ValueError))
def key_of_log(s3: Any, task: str) -> str:
    listed = s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())
    [key] = [entry["Key"] for entry in listed if f"task_id={task}" in entry["Key"]]
    return str(key)


def test_parts_that_run_code_of_the_platform_get_its_secrets(trial: Trial) -> None:
    names = {secret.variable for secret in platform_secrets(ENVIRONMENT)}
    assert len(names) == 5
    for part in ("scheduler", "dag-processor"):
        given = trial.variables[part]
        assert {name: given.get(name) for name in names} == {
            name: trial.secrets[name] for name in names
        }
        # Airflow asks for its own when it needs them; their values are in nobody's variables.
        for secret in airflow_secrets(ENVIRONMENT):
            assert secret.variable not in given
            assert given[f"{secret.variable}_SECRET"] == secret.key


def test_the_health_checks_of_the_compose_file_pass(trial: Trial) -> None:
    services = read_yaml(ROOT / "platform/deploy/compose.yaml")["services"]
    kind, entrypoint, *command = services["scheduler"]["healthcheck"]["test"]
    assert (kind, entrypoint) == ("CMD", "/entrypoint")
    assert "Found one alive job" in trial.airflow.run(*command)
    kind, *command = services["api-server"]["healthcheck"]["test"]
    assert (kind, command[0]) == ("CMD", "python")
    trial.airflow.run(*[part.replace(":8080/", f":{trial.airflow.port}/") for part in command])
