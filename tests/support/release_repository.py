"""A repository of a small platform whose dev and prod are DuckDB files and S3 buckets.

Its dbt project has two marts over one raw table; library, locks and profiles are the checkout's.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import boto3
import duckdb

from olist_platform.naming import EnvironmentName, Names
from olist_platform.release.bundle import Bundle, SourceFile, write_bundle
from olist_workspace import ROOT, run_olist, run_olist_warm
from yaml_files import read_yaml, write_yaml

REGION: Final = "sa-east-1"
# The account that moto answers for.
ACCOUNT = "123456789012"
ORDERS = 20
CLOUDS: Final = (EnvironmentName.DEV, EnvironmentName.PROD)
_COMMITTED = "2026-03-01T12:00:00+00:00"

_PROJECT = """
name: olist
version: 1.0.0
profile: olist
model-paths: [models]
macro-paths: [macros]
seed-paths: [seeds]
snapshot-paths: [snapshots]
models:
  olist:
    staging: {+schema: staging, +materialized: view}
    marts: {+schema: marts, +materialized: table, +access: public, +group: reporting}
seeds: {olist: {+schema: staging}}
snapshots: {olist: {+schema: snapshots}}
"""
_PROPERTIES = """
groups: [{name: reporting, owner: {name: Reporting}}]
sources:
  - name: raw
    schema: raw
    tables: [{name: orders}]
models:
  - name: mart_orders
    columns: [{name: order_id, data_tests: [unique]}, {name: state}, {name: as_of_date}]
  - name: mart_states
    columns: [{name: state}, {name: orders}, {name: as_of_date}]
unit_tests:
  - name: states_are_upper_case
    model: stg_orders
    given: [{input: "source('raw', 'orders')", rows: [{order_id: 1, state: sp}]}]
    expect: {rows: [{order_id: 1, state: SP}]}
"""
MART_ORDERS = """select order_id, state, date '2026-02-28' as as_of_date
from {{ ref('stg_orders') }} inner join {{ ref('states') }} using (state)"""

DAY = date(2026, 2, 28)
# What a second release changes, and what readers see of the first and of it.
SECOND = {
    "infra/__main__.py": "RELEASE = 'second'\n",
    "dbt/models/marts/mart_orders.sql": MART_ORDERS.replace("state,", "lower(state) as state,", 1),
}
UPPER, LOWER = [("RJ", 10, DAY), ("SP", 10, DAY)], [("rj", 10, DAY), ("sp", 10, DAY)]
_FILES = {
    "dbt/dbt_project.yml": _PROJECT,
    "dbt/models/properties.yml": _PROPERTIES,
    "dbt/models/staging/stg_orders.sql": (
        "select order_id, upper(state) as state from {{ source('raw', 'orders') }}"
    ),
    "dbt/models/marts/mart_orders.sql": MART_ORDERS,
    "dbt/models/marts/mart_states.sql": (
        "select state, count(*) as orders, max(as_of_date) as as_of_date "
        "from {{ ref('mart_orders') }} group by state"
    ),
    "dbt/seeds/states.csv": "state\nSP\nRJ\n",
    "dbt/snapshots/snapshot_orders.yml": (
        "snapshots: [{name: snapshot_orders, relation: \"ref('stg_orders')\", "
        "config: {unique_key: order_id, strategy: check, check_cols: all}}]"
    ),
    "infra/Pulumi.yaml": "name: olist\nruntime: python\n",
    "infra/__main__.py": "RELEASE = 'first'\n",
    "dags/olist_production.py": "RELEASE = 'first'\n",
}


@dataclass(frozen=True)
class ReleaseRepository:
    """The repository, its two environments and the stand-in for Pulumi.

    Attributes:
        home: The clone; `data/` in it is the environments'.
        stand_in: Folder of the stand-in for Pulumi.
    """

    home: Path
    stand_in: Path

    def environment_variables(self) -> dict[str, str]:
        return os.environ | {
            "OLIST_HOME": str(self.home),
            "PULUMI_STAND_IN": str(self.stand_in),
            "PATH": f"{self.stand_in}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_ACTOR": "ana",
            "COLUMNS": "200",
            "NO_COLOR": "1",
            "DBT_LOG_LEVEL_FILE": "none",
        }

    def olist(self, *arguments: str | Path, expect: int | None = 0) -> str:
        """Run the `olist` command; return what it printed, errors included."""
        # Building is what a bundle's bytes depend on, to the seed of Python's hashes.
        run = run_olist if arguments[:2] == ("release", "build") else run_olist_warm
        return run(arguments, self.home, self.environment_variables(), expect)

    def order(self, **orders: str) -> None:
        """Tell the stand-in what to do, as `up_prod='fail'`."""
        content = {key.replace("_", " "): value for key, value in orders.items()}
        (self.stand_in / "orders.json").write_text(json.dumps(content))

    def infrastructure(self, environment: str) -> str:
        return (self.stand_in / f"{environment}.program").read_text(encoding="utf-8")

    def calls(self) -> list[tuple[str, str]]:
        """Commands and stacks that the stand-in was called with, and forget them."""
        path = self.stand_in / "calls.jsonl"
        calls = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_text("")
        return [(call["command"], call["stack"]) for call in calls]

    def read_marts(self, environment: str, sql: str) -> list[tuple[Any, ...]]:
        """Ask what readers have."""
        path = self.home / "data" / environment / "serving" / f"olist_{environment}.duckdb"
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def load(self, environment: str, first: int, last: int) -> None:
        """Add raw orders to an environment's warehouse."""
        path = self.home / "data" / environment / f"olist_{environment}.duckdb"
        path.parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(str(path)) as connection:
            connection.execute("create schema if not exists raw")
            connection.execute(
                "create table if not exists raw.orders (order_id integer, state varchar)"
            )
            connection.execute(
                "insert into raw.orders select range, if(range % 2 = 0, 'sp', 'rj')"
                f" from range({first}, {last + 1})"
            )


def make_repository(home: Path, stand_in: Path, aws: str) -> ReleaseRepository:
    """Write the repository, commit it, and make its buckets and raw data."""
    for folder in ("platform/src", "requirements"):
        shutil.copytree(
            ROOT / folder,
            home / folder,
            ignore=shutil.ignore_patterns("__pycache__", "calibration_tables", "*.egg-info"),
        )
    (home / "environments").mkdir()
    for name in CLOUDS:
        path = home / "environments" / f"{name}.yaml"
        write_yaml(path, _settings(name, aws))
    for name_of_file, content in _FILES.items():
        (home / name_of_file).parent.mkdir(parents=True, exist_ok=True)
        (home / name_of_file).write_text(content, encoding="utf-8")
    _write_profiles(home)
    shutil.copytree(ROOT / "dbt" / "macros", home / "dbt" / "macros", ignore=_all_but_schema_name)
    (home / ".gitignore").write_text("data/\n__pycache__/\n")
    git(home, "init", "--quiet", "--initial-branch=main")
    commit(home, "First release")
    stand_in.mkdir()
    (stand_in / "pulumi").symlink_to(ROOT / "tests" / "support" / "pulumi_stand_in.py")
    (stand_in / "calls.jsonl").touch()
    client = boto3.Session().client("s3", endpoint_url=aws, region_name=REGION)
    repository = ReleaseRepository(home, stand_in)
    for name in CLOUDS:
        client.create_bucket(
            Bucket=Names(name).artifact_bucket(ACCOUNT),
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
        repository.load(name, 1, ORDERS)
    return repository


def variant(
    bundle: Bundle, number: int, files: dict[str, str], commit: str | None = None
) -> Bundle:
    """A bundle of a later commit that changed some files; its dbt manifests are the former ones."""
    sources = {
        path: SourceFile(bundle.read(path), executable=file.executable)
        for path, file in bundle.manifest.files.items()
    } | {path: SourceFile(content.encode()) for path, content in files.items()}
    about = bundle.manifest.model_copy(
        update={
            "commit": commit or f"{number:x}".ljust(40, "0"),
            "committed_at": bundle.manifest.committed_at + timedelta(days=number),
            "subject": f"Release {number}",
        }
    )
    return write_bundle(sources, about)


def commit(home: Path, message: str, when: str = _COMMITTED) -> None:
    git(home, "add", "--all")
    moment = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    git(home, "commit", "--quiet", "--message", message, **moment)


def git(home: Path, *arguments: str, **variables: str) -> str:
    people = {
        "GIT_AUTHOR_NAME": "Ana",
        "GIT_AUTHOR_EMAIL": "ana@olist.example",
        "GIT_COMMITTER_NAME": "Ana",
        "GIT_COMMITTER_EMAIL": "ana@olist.example",
    }
    return subprocess.run(
        ["git", "-C", str(home), *arguments],
        env=os.environ | people | variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def _settings(name: EnvironmentName, aws: str) -> dict[str, Any]:
    settings: dict[str, Any] = read_yaml(ROOT / "environments" / "local.yaml")
    of_name: dict[str, Any] = read_yaml(ROOT / "environments" / f"{name}.yaml")
    return settings | {
        "name": str(name),
        "warehouse": settings["warehouse"] | {"folder": f"data/{name}"},
        "landing": {
            "kind": "s3",
            "aws_account_id": ACCOUNT,
            "region": REGION,
            "endpoint_url": aws,
        },
        "releases": of_name["releases"],
    }


def _write_profiles(home: Path) -> None:
    """Give dev and prod the target of local: they are DuckDB here."""
    profiles = read_yaml(ROOT / "dbt" / "profiles.yml")
    outputs = profiles["olist"]["outputs"]
    for name in CLOUDS:
        outputs[name.value] = outputs["local"]
    write_yaml(home / "dbt" / "profiles.yml", profiles)


def _all_but_schema_name(_: str, names: list[str]) -> set[str]:
    return {name for name in names if name != "generate_schema_name.sql"}
