"""What follows the publication: the executives' e-mail and the refresh of Power BI."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from olist_dags import dag_environment
from olist_dags.executive_report import email_executives
from olist_dags.power_bi import refresh_power_bi
from olist_workspace import ROOT, Workspace
from published_workspace import publish_workspace
from yaml_files import read_yaml, write_yaml

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _environments_are_read_anew() -> Iterator[None]:
    dag_environment._environment_named.cache_clear()
    yield
    dag_environment._environment_named.cache_clear()


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the DAGs run in an environment of the checkout with other settings of dashboards."""

    def use(name: str, **dashboards: Any) -> None:
        content = read_yaml(ROOT / "environments" / f"{name}.yaml")
        content["dashboards"] |= dashboards
        (tmp_path / "environments").mkdir()
        (tmp_path / "dbt").symlink_to(ROOT / "dbt")
        write_yaml(tmp_path / "environments" / f"{name}.yaml", content)
        monkeypatch.setenv("OLIST_HOME", str(tmp_path))
        monkeypatch.setenv("OLIST_ENV", name)

    return use


def refresh_task() -> Any:
    with DAG("a_dag") as dag:
        refresh_power_bi()
    return dag.get_task("refresh_power_bi")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("local", "dashboards.power_bi is null in this environment"),
        ("dev", "dashboards.power_bi.refresh is null: the model is not deployed yet"),
    ],
)
def test_a_refresh_that_is_not_configured_is_skipped_and_says_why(
    environment: Callable[..., None], name: str, reason: str
) -> None:
    environment(name)
    with pytest.raises(AirflowSkipException, match=reason):
        refresh_task().python_callable()


def test_a_configured_refresh_is_airflows_operator(environment: Callable[..., None]) -> None:
    operators = pytest.importorskip(
        "airflow.providers.microsoft.azure.operators.powerbi",
        reason="Airflow's provider of Power BI is not installed: requirements/production.txt",
    )
    environment("prod")
    refresh = refresh_task()
    assert isinstance(refresh, operators.PowerBIDatasetRefreshOperator)
    settings = read_yaml(ROOT / "environments" / "prod.yaml")
    wanted = settings["dashboards"]["power_bi"]["refresh"]
    assert refresh.group_id == wanted["workspace_id"]
    assert refresh.dataset_id == wanted["semantic_model_id"]
    assert refresh.conn_id == wanted["airflow_connection"]
    assert refresh.wait_for_completion
    assert refresh.timeout == settings["airflow"]["task_timeout_minutes"] * 60


def test_without_the_provider_the_dag_is_read_and_the_task_says_what_is_missing(
    environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "airflow.providers.microsoft.azure.operators.powerbi", None)
    environment("prod")
    with pytest.raises(AirflowFailException, match=r"install requirements/production\.txt"):
        refresh_task().python_callable()


def test_an_environment_without_a_report_skips_it(environment: Callable[..., None]) -> None:
    environment("local", executive_report=None)
    with pytest.raises(AirflowSkipException, match=r"dashboards\.executive_report is null"):
        email_executives.function()


def test_the_task_writes_the_report_where_there_is_no_mail_server(
    copy_of_generated: Callable[[str], Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = copy_of_generated("after_publication")
    monkeypatch.setenv("OLIST_HOME", str(workspace.home))
    monkeypatch.setenv("OLIST_ENV", "local")
    publish_workspace(workspace)
    done = email_executives.function()
    assert done.startswith("written: ")
    [path] = (workspace.home / "data" / "local" / "executive-reports").iterdir()
    assert done.endswith(str(path))
