"""Image, compose file and chart values, checked by what can be checked without an engine."""

import ast
import importlib.metadata
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from dockerfile_parse import DockerfileParser

from olist_platform.airflow_home import airflow_variables
from olist_platform.airflow_settings import EXECUTOR, production_settings
from olist_platform.environment import Environment, S3Landing, load_environment
from olist_platform.helm_values import helm_values
from olist_platform.naming import EnvironmentName
from olist_workspace import ROOT
from yaml_files import read_yaml

DEPLOY = ROOT / "platform" / "deploy"
TOOLS = Path(sys.executable).parent
ON_AWS = [EnvironmentName.DEV, EnvironmentName.PROD]
# Ends by itself before anybody could ask it how it is.
JOBS = {"migration"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = read_yaml(DEPLOY / "compose.yaml")
    return parsed


@pytest.fixture(scope="module")
def instructions() -> list[dict[str, str]]:
    """The Dockerfile's instructions, each with its stage's base image."""
    parser = DockerfileParser(fileobj=(DEPLOY / "Dockerfile").open("rb"))
    found, stage = [], ""
    for entry in parser.structure:
        if entry["instruction"] == "FROM":
            stage = entry["value"]
        found.append({"instruction": entry["instruction"], "value": entry["value"], "stage": stage})
    return found


def of_kind(instructions: list[dict[str, str]], kind: str, stage: str = "") -> list[str]:
    return [
        entry["value"]
        for entry in instructions
        if entry["instruction"] == kind and (not stage or entry["stage"] == stage)
    ]


def tool(name: str, *arguments: str | Path) -> None:
    result = subprocess.run(
        [TOOLS / name, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


# The image


def test_the_dockerfile_passes_hadolint() -> None:
    tool("hadolint", DEPLOY / "Dockerfile")


def test_the_image_is_pinned_built_in_stages_and_not_run_by_root(
    instructions: list[dict[str, str]],
) -> None:
    [default] = [value for value in of_kind(instructions, "ARG") if "PYTHON_IMAGE" in value]
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.11\.\d+-slim-\w+@sha256:[0-9a-f]{64}", default)
    first, last = of_kind(instructions, "FROM")
    assert (first, last) == ("${PYTHON_IMAGE} AS build", "${PYTHON_IMAGE}")
    assert of_kind(instructions, "USER", last) == ["50000:0"]
    assert len(of_kind(instructions, "HEALTHCHECK", last)) == 1
    assert json.loads(of_kind(instructions, "ENTRYPOINT", last)[0]) == [
        *("dumb-init", "--", "/entrypoint")
    ]
    assert not of_kind(instructions, "ADD")


def test_the_entry_point_and_the_init_are_installed(instructions: list[dict[str, str]]) -> None:
    [making] = [value for value in of_kind(instructions, "RUN") if "/entrypoint" in value]
    linked = re.search(r"ln -s /opt/venv/bin/(\S+) /entrypoint", making)
    assert linked
    scripts = {script.name for script in importlib.metadata.entry_points(group="console_scripts")}
    assert linked[1] in scripts
    assert "dumb-init==" in (ROOT / "requirements/production.txt").read_text(encoding="utf-8")


def test_only_hashed_locks_are_installed(instructions: list[dict[str, str]]) -> None:
    installs = " ".join(of_kind(instructions, "RUN")).split("install ")
    named = [part for part in installs if "-r requirements/" in part]
    assert len(named) == 2
    assert all("--require-hashes" in part for part in named)
    assert set(re.findall(r"-r (\S+)", " ".join(named))) == {
        f"requirements/{lock}.txt" for lock in ("bootstrap", "runtime", "production")
    }


def test_what_is_copied_exists_and_is_let_through(instructions: list[dict[str, str]]) -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_through = [rule[1:].split("/*")[0] for rule in rules if rule.startswith("!")]
    copied = [
        path
        for value in of_kind(instructions, "COPY")
        if not value.startswith("--from")
        for path in shlex.split(value)[:-1]
    ]
    assert len(copied) >= 7
    for path in copied:
        assert (ROOT / path).exists(), path
        inside = [Path(path.rstrip("/")).is_relative_to(rule) for rule in let_through]
        assert any(inside), path
    for path in let_through:
        assert (ROOT / path).exists(), path
    assert "environments/Pulumi.*.yaml" in rules


def distribution_names(lock: str) -> set[str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))


def imported_modules(start: list[Path]) -> dict[str, Path]:
    """Foreign modules that files import, and those of ours that they import, with where."""
    homes = {
        "olist_platform": ROOT / "platform" / "src",
        "olist_dags": ROOT / "dags",
    }
    foreign: dict[str, Path] = {}
    waiting, seen = list(start), set(start)
    while waiting:
        path = waiting.pop()
        for name in module_names(path):
            home = homes.get(name.split(".")[0])
            if home is None:
                foreign.setdefault(name, path.relative_to(ROOT))
                continue
            candidate = home / f"{name.replace('.', '/')}.py"
            if candidate.exists() and candidate not in seen:
                seen.add(candidate)
                waiting.append(candidate)
    return foreign


def module_names(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    only_for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in only_for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_everything_the_dags_import_is_in_the_image() -> None:
    start = [
        *(ROOT / "dags").rglob("*.py"),
        ROOT / "platform/src/olist_platform/container_entrypoint.py",
    ]
    foreign = imported_modules(start)
    assert {"airflow.sdk", "cosmos", "boto3", "pydantic"} <= set(foreign)
    locked = distribution_names("runtime") | distribution_names("production")
    providers = importlib.metadata.packages_distributions()
    missing = {}
    for name, path in foreign.items():
        top = name.split(".")[0]
        if top in sys.stdlib_module_names or top == "airflow":
            continue
        distributions = {re.sub(r"[-_.]+", "-", one).lower() for one in providers.get(top, ())}
        if not distributions & locked:
            missing[name] = str(path)
    assert missing == {}


def test_airflow_itself_and_its_providers_are_in_the_image() -> None:
    locked = distribution_names("runtime") | distribution_names("production")
    assert {
        "apache-airflow",
        "apache-airflow-providers-amazon",
        "apache-airflow-providers-fab",
        "asyncpg",
        "dbt-snowflake",
        "hatchling",
        "psycopg2-binary",
    } <= locked


# The compose file


def test_the_compose_file_fits_its_specification() -> None:
    tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


def test_every_service_is_watched_restarted_and_limited(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {
        *("metadata-database", "migration", "api-server", "scheduler", "dag-processor"),
        "triggerer",
    }
    for name, service in services.items():
        assert service["deploy"]["resources"]["limits"]["memory"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        if name in JOBS:
            assert service["healthcheck"] == {"disable": True}
            assert service["restart"].startswith("on-failure"), name
        else:
            assert len(service["healthcheck"]["test"]) > 1, name
            assert service["restart"] == "unless-stopped", name


def test_every_part_of_airflow_waits_for_the_migration(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name not in {"metadata-database", *JOBS}:
            waits = service["depends_on"]
            assert waits["migration"]["condition"] == "service_completed_successfully", name
            assert waits["metadata-database"]["condition"] == "service_healthy", name
            assert service["command"] == ["airflow", name]


def test_the_health_checks_ask_for_jobs_that_airflow_has(compose: dict[str, Any]) -> None:
    asked = {
        name: service["healthcheck"]["test"][service["healthcheck"]["test"].index("--job-type") + 1]
        for name, service in compose["services"].items()
        if "--job-type" in service["healthcheck"].get("test", [])
    }
    assert asked == {
        "scheduler": "SchedulerJob",
        "dag-processor": "DagProcessorJob",
        "triggerer": "TriggererJob",
    }


def test_no_secret_is_in_a_file_of_the_deployment(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service["environment"].items():
            if re.search("PASSWORD|SECRET|KEY|TOKEN|CONN", name):
                assert name.endswith(("_FILE", "_CMD")), name
                assert "/run/secrets/" in value, name
    assert list(compose["secrets"]) == ["metadata_password"]
    [secret] = compose["secrets"].values()
    # No default: a file inside the checkout could be committed.
    assert secret["file"].startswith("${OLIST_METADATA_PASSWORD_FILE:?")


def test_the_address_of_the_metadata_database_is_made_of_its_password(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    variables = compose["services"]["scheduler"]["environment"]
    command = variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD"]
    password = tmp_path / "metadata_password"
    password.write_text("hush\n", encoding="utf-8")
    told = command.replace("$$", "$").replace("/run/secrets/metadata_password", str(password))
    # As Airflow runs it.
    printed = subprocess.run(shlex.split(told), capture_output=True, text=True, check=True).stdout
    assert printed == "postgresql+psycopg2://airflow:hush@metadata-database/airflow"


# One place for each setting


def settings_of(text: str) -> set[str]:
    return set(re.findall(r"\bAIRFLOW__[A-Z0-9_]+", text))


def test_files_of_the_deployment_repeat_no_setting_of_the_entry_point() -> None:
    ours = set(production_settings(load_environment(EnvironmentName.PROD)))
    found = {
        path.name: settings_of(path.read_text(encoding="utf-8")) - {"AIRFLOW__"}
        for path in DEPLOY.rglob("*")
        if path.is_file()
    }
    assert found["compose.yaml"] == {
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD",
    }
    # Named there to be switched off.
    switched_off = set(read_yaml(DEPLOY / "chart" / "values.yaml")["enableBuiltInSecretEnvVars"])
    assert found["values.yaml"] <= switched_off
    assert all(not names & ours for names in found.values())


@pytest.mark.parametrize("name", ON_AWS)
def test_files_of_the_deployment_repeat_no_fact_of_an_environment(name: EnvironmentName) -> None:
    environment = load_environment(name)
    assert isinstance(environment.landing, S3Landing)
    assert environment.airflow.base_url
    facts = [
        environment.landing.aws_account_id,
        environment.landing.region,
        environment.airflow.base_url.removeprefix("https://"),
        environment.names.aws(""),
        environment.names.secret(""),
    ]
    for path in DEPLOY.rglob("*"):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        assert [fact for fact in facts if fact in text] == [], path


OPTIONS = """
import json, sys
import cosmos.settings
from airflow.configuration import conf

described = {(section, option) for section, about in conf.configuration_description.items()
             for option in about["options"]}
described |= {("cosmos", name) for name in vars(cosmos.settings)}
sensitive = sorted(conf.sensitive_config_values)
json.dump({"described": sorted(described), "sensitive": sensitive}, sys.stdout)
"""


@pytest.mark.slow
def test_airflow_knows_every_option(tmp_path: Path, compose: dict[str, Any]) -> None:
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OPTIONS],
        env=os.environ | {"AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    known = json.loads(printed.splitlines()[-1])
    described = {tuple(pair) for pair in known["described"]}
    sensitive = {tuple(pair) for pair in known["sensitive"]}
    local = load_environment(EnvironmentName.LOCAL)
    used = {
        *production_settings(load_environment(EnvironmentName.PROD)),
        *compose["services"]["scheduler"]["environment"],
        *airflow_variables(local, tmp_path_home(tmp_path)),
    }
    names = [name for name in sorted(used) if name.startswith("AIRFLOW__")]
    assert len(names) > 20
    for name in names:
        section, option = name.removeprefix("AIRFLOW__").lower().split("__", 1)
        indirect = re.sub(r"_(cmd|secret)$", "", option)
        if (section, option) not in described:
            assert (section, indirect) in sensitive, name


def tmp_path_home(folder: Path) -> Path:
    home = folder / "local"
    home.mkdir()
    (home / "keys.json").write_text('{"api": "a", "jwt": "b"}', encoding="utf-8")
    return home


# The chart


def merged(*layers: dict[str, Any]) -> dict[str, Any]:
    """Lay values over each other as Helm does."""
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            former = result.get(key)
            both = isinstance(value, dict) and isinstance(former, dict)
            result[key] = merged(former, value) if both else value  # type: ignore[arg-type]
    return result


def chart_values(environment: Environment) -> dict[str, Any]:
    folder = DEPLOY / "chart"
    return merged(
        read_yaml(folder / "values.yaml"),
        read_yaml(folder / f"values.{environment.name}.yaml"),
        yaml.safe_load(yaml.safe_dump(helm_values(environment))),
    )


def test_the_chart_has_values_of_every_environment_on_aws() -> None:
    files = {path.name for path in (DEPLOY / "chart").glob("values.*.yaml")}
    assert files == {f"values.{name}.yaml" for name in ON_AWS}


@pytest.mark.parametrize("name", ON_AWS)
def test_the_chart_is_told_what_the_environment_says(name: EnvironmentName) -> None:
    environment = load_environment(name)
    values = chart_values(environment)
    assert isinstance(environment.landing, S3Landing)
    assert environment.cloud
    assert values["executor"] == EXECUTOR
    assert f"apache-airflow=={values['airflowVersion']} " in (
        ROOT / "requirements/runtime.txt"
    ).read_text(encoding="utf-8")
    assert values["env"] == [{"name": "OLIST_ENV", "value": name.value}]
    assert (
        values["images"]["airflow"]["repository"]
        == f"ghcr.io/{environment.cloud.github.repository}"
    )
    role = f"arn:aws:iam::{environment.landing.aws_account_id}:role/olist-{name}-airflow"
    parts = ("apiServer", "dagProcessor", "scheduler", "triggerer")
    for part in (*parts, "migrateDatabaseJob", "databaseCleanup"):
        annotations = values[part]["serviceAccount"]["annotations"]
        assert annotations == {"eks.amazonaws.com/role-arn": role}, part
    for part in parts:
        assert values[part]["resources"]["limits"]["memory"], part
        assert values[part]["resources"]["requests"]["cpu"], part
    [bundle] = values["dagProcessor"]["dagBundleConfigList"]
    assert bundle["classpath"] == "olist_platform.release.dag_bundle.ReleaseDagBundle"
    assert bundle["kwargs"]["environment"] == name.value
    [host] = values["ingress"]["apiServer"]["hosts"]
    assert environment.airflow.base_url == f"https://{host['name']}"
    assert not any(values["enableBuiltInSecretEnvVars"].values())


def test_what_can_be_two_in_production_is_and_is_not_evicted_at_once() -> None:
    values = chart_values(load_environment(EnvironmentName.PROD))
    for part in ("apiServer", "triggerer"):
        assert values[part]["replicas"] == 2
        assert values[part]["podDisruptionBudget"] == {
            "enabled": True,
            "config": {"maxUnavailable": 1},
        }
    # Tasks of one run share the scheduler's volume, which one pod holds.
    assert values["scheduler"].get("replicas", 1) == 1
    assert values["scheduler"]["strategy"] == {"type": "Recreate"}
    [volume] = values["scheduler"]["extraVolumes"]
    claim = read_yaml(DEPLOY / "chart" / "data-volume.yaml")
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


@pytest.mark.parametrize("name", ON_AWS)
def test_network_policies_let_tasks_and_the_load_balancer_reach_the_api_server(
    name: EnvironmentName,
) -> None:
    """Without peers the chart writes a policy without a rule, which keeps everybody out."""
    values = chart_values(load_environment(name))
    assert values["networkPolicies"]["enabled"]
    peers = values["apiServer"]["networkPolicy"]["ingress"]["from"]
    assert {"podSelector": {"matchLabels": {"tier": "airflow"}}} in peers
    networks = [ip_network(peer["ipBlock"]["cidr"]) for peer in peers if "ipBlock" in peer]
    assert all(
        any(ip_address(one) in net for net in networks) for one in ("10.1.2.3", "172.31.0.9")
    )
    # Reached through the company's network, never from the internet.
    assert all(net.is_private for net in networks)


@pytest.mark.parametrize("name", ON_AWS)
def test_the_values_fit_the_charts_own_schema(name: EnvironmentName, tmp_path: Path) -> None:
    chart = os.environ.get("OLIST_AIRFLOW_CHART")
    if chart is None:
        pytest.skip(
            "the official chart is not in this repository: unpack it and set OLIST_AIRFLOW_CHART"
            " to its folder"
        )
    values = chart_values(load_environment(name))
    defaults = read_yaml(Path(chart) / "values.yaml")
    laid_over = tmp_path / "values.json"
    laid_over.write_text(json.dumps(merged(defaults, values)), encoding="utf-8")
    tool("check-jsonschema", "--schemafile", Path(chart) / "values.schema.json", laid_over)
    assert list(unknown_keys(values, defaults)) == []


def unknown_keys(
    values: dict[str, Any], defaults: dict[str, Any], above: str = ""
) -> Iterator[str]:
    """Keys that the chart does not have; its schema lets most of them pass."""
    for key, value in values.items():
        if key not in defaults:
            yield f"{above}{key}"
        elif isinstance(value, dict) and defaults[key] and isinstance(defaults[key], dict):
            yield from unknown_keys(value, defaults[key], f"{above}{key}.")
