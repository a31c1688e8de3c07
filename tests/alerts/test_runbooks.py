"""Every signal has a runbook, and what a runbook tells to run can be run."""

import re
from functools import cache
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from olist_platform.access_model import FUNCTIONAL_ROLES, reads
from olist_platform.alerts.kinds import Signal
from olist_platform.naming import EnvironmentName, Layer, Names
from olist_workspace import ROOT
from yaml_files import read_yaml

RUNBOOKS = ROOT / "platform" / "docs" / "runbooks"
NAMES = Names(EnvironmentName.PROD)
SECTIONS = ["Meaning", "Who", "First look", "Mend", "Escalation", "How to close"]
# Written by the loader, not by dbt.
LOAD_HISTORY = {"load_history": None}

QUERY = re.compile(r'olist query (--working )?"([^"]+)"')
AIRFLOW = re.compile(r"olist airflow -- (.+)$", re.MULTILINE)
LINEAGE = re.compile(r"olist lineage (\w+)\.(\w+)")
ROLE = re.compile(r"`(FR__\w+)`")
VAR = re.compile(r"\bvars? `(\w+)`")
FILE = re.compile(r"`((?:dbt|platform|environments|tests)/[\w./-]+)`")


@cache
def columns_of_models() -> dict[str, set[str] | None]:
    models: dict[str, set[str] | None] = dict(LOAD_HISTORY)
    for path in (ROOT / "dbt" / "models").rglob("*.yml"):
        for model in read_yaml(path).get("models", []):
            models[model["name"]] = {column["name"] for column in model["columns"]}
    assert "mart_executive_kpis" in models
    return models


def text_of(signal: Signal) -> str:
    return (RUNBOOKS / signal.runbook).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0].strip()


def test_every_runbook_belongs_to_a_signal() -> None:
    assert {path.name for path in RUNBOOKS.iterdir()} == {signal.runbook for signal in Signal}


@pytest.mark.parametrize("signal", Signal)
def test_a_runbook_has_every_section_with_something_in_it(signal: Signal) -> None:
    text = text_of(signal)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    for title in SECTIONS:
        assert len(section(text, title)) > 40, title
    assert f"`{signal.kind}`" in section(text, "Who")
    # That the command exists is proven for every document in tests/repository.
    assert re.search(r"(olist|make) \w|source_catalog", section(text, "First look"))


@pytest.mark.parametrize("pattern", [QUERY, AIRFLOW, LINEAGE, ROLE, VAR, FILE])
def test_what_the_next_tests_look_for_is_in_some_runbook(pattern: re.Pattern[str]) -> None:
    """They say nothing of a runbook without it."""
    assert any(pattern.search(text_of(signal)) for signal in Signal)


@pytest.mark.parametrize("signal", Signal)
def test_queries_of_a_runbook_ask_for_what_the_models_hold(signal: Signal) -> None:
    for _, sql in QUERY.findall(text_of(signal)):
        query = sqlglot.parse_one(sql, dialect="duckdb")
        known: set[str] = {str(alias.alias) for alias in query.find_all(exp.Alias)}
        for table in query.find_all(exp.Table):
            assert table.name in columns_of_models(), f"{signal}: {table.name}"
            columns = columns_of_models()[table.name]
            if columns is None:
                known |= {column.name for column in query.find_all(exp.Column)}
            else:
                known |= columns
        assert {column.name for column in query.find_all(exp.Column)} <= known, sql


@pytest.mark.parametrize("signal", Signal)
def test_whom_a_runbook_sends_to_snowflake_may_ask_its_queries(signal: Signal) -> None:
    text = text_of(signal)
    of_name = {NAMES.functional_role(role.name): role for role in FUNCTIONAL_ROLES}
    held = {access for name in ROLE.findall(text) for access in of_name[name].holds}
    for working, sql in QUERY.findall(text):
        for table in sqlglot.parse_one(sql, dialect="duckdb").find_all(exp.Table):
            if table.name in LOAD_HISTORY:
                continue
            layer = Layer(table.db) if working else Layer.SERVING
            assert reads(layer) in held, f"{signal}: {table.sql()}"


@pytest.mark.parametrize("signal", Signal)
def test_what_a_runbook_asks_of_airflow_it_asks_of_productions_too(signal: Signal) -> None:
    text = text_of(signal)
    for command in AIRFLOW.findall(text):
        assert f"`/entrypoint airflow {command}`" in text, command


@pytest.mark.parametrize("signal", Signal)
def test_a_runbook_says_where_prods_secrets_are(signal: Signal) -> None:
    """Whoever is on call has none on their own machine."""
    assert "--env prod" in text_of(signal)
    assert "running-airflow.md#ask-a-running-airflow" in section(text_of(signal), "First look")


@pytest.mark.parametrize("signal", Signal)
def test_columns_whose_lineage_a_runbook_asks_for_exist(signal: Signal) -> None:
    for model, column in LINEAGE.findall(text_of(signal)):
        columns = columns_of_models()[model]
        assert columns is not None
        assert column in columns, f"{model}.{column}"


@pytest.mark.parametrize("signal", Signal)
def test_files_and_vars_that_a_runbook_names_exist(signal: Signal) -> None:
    text = text_of(signal)
    project = (ROOT / "dbt" / "dbt_project.yml").read_text(encoding="utf-8")
    for name in VAR.findall(text):
        assert f"  {name}:" in project, name
    for path in FILE.findall(text):
        assert Path(ROOT / path).exists(), path
