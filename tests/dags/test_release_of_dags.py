"""Which DAGs an Airflow of this machine runs, and that preflight lets no other pass."""

from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException

from olist_dags import publishing
from olist_platform import dag_run, publication
from olist_platform.dag_run import DagRunSummary, run_dag
from olist_platform.dag_source import DagSource, dag_bundle_settings, dag_source
from olist_platform.environment import load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_platform.release.release_tree import ReleaseTree
from olist_workspace import ROOT
from release_bundles import bundle_with_library, note_deployed

pytestmark = pytest.mark.slow

# The first task of production's DAG, and nothing behind it.
DAG_FILE = b"""
from airflow.sdk import DAG

from olist_dags.dag_environment import current_environment, release_tags
from olist_dags.preflight import check_environment
from olist_dags.task_defaults import task_defaults

with DAG(
    dag_id="olist_trial",
    schedule=None,
    default_args=task_defaults(current_environment()),
    tags=release_tags(),
):
    check_environment()
"""


@pytest.fixture
def _checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout that has the small DAG, and no warehouse yet."""
    for folder in ("dbt", "environments"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "olist_dags").symlink_to(ROOT / "dags" / "olist_dags")
    (tmp_path / "dags" / "olist_trial.py").write_bytes(DAG_FILE)
    # A manifest that is fresh: nothing here has a task for a node of dbt.
    manifest = tmp_path / "data" / "local" / "dbt" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{}")
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    monkeypatch.delenv("OLIST_DAGS", raising=False)


@pytest.mark.usefixtures("_checkout")
def test_after_a_deployment_a_run_of_a_checkout_fails_preflight_and_the_releases_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = load_environment(EnvironmentName.LOCAL)
    release = bundle_with_library(1, {"dags/olist_trial.py": DAG_FILE})
    note_deployed(environment, release)

    def run(*, checkout: bool = False) -> DagRunSummary:
        return run_dag(environment, "olist_trial", checkout=checkout)

    with monkeypatch.context() as patch:
        # An Airflow that nobody told of the release.
        patch.setattr(dag_run, "dag_source", lambda *_, **__: DagSource(None))
        with pytest.raises(OlistError) as error:
            run()
    assert "this DAG is of a checkout, and local runs release" in error.value.message
    assert "(Release 1); let Airflow run the release's DAGs" in error.value.message

    passed = run()
    assert passed.state == "success"
    log = passed.log.read_text(encoding="utf-8")
    assert f"this run is of release {release.manifest.short_commit} (Release 1)" in log

    # A developer who asks for the checkout gets it.
    asked = run(checkout=True)
    assert asked.state == "success"
    said = asked.log.read_text(encoding="utf-8")
    assert "this run is of a checkout, as was asked for; deployed is release" in said


@pytest.mark.usefixtures("_checkout")
def test_a_run_of_a_release_that_is_deployed_no_more_publishes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its marts would take the place of those of the release that runs by then."""
    environment = load_environment(EnvironmentName.LOCAL)
    first, second = (bundle_with_library(number) for number in (1, 2))
    trees = [ReleaseTree(EnvironmentName.LOCAL, bundle) for bundle in (first, second)]
    for tree, bundle in zip(trees, (first, second), strict=True):
        tree.unpack()
        note_deployed(environment, bundle)
    published: list[str] = []

    def publish(*_: object) -> list[str]:
        published.append("a mart")
        return published

    monkeypatch.setattr(publication, "publish", publish)
    monkeypatch.setattr(publishing, "get_current_context", lambda: {"run_id": "a_run"})
    monkeypatch.setattr(publishing, "plan_of_this_run", lambda _: {"unpublished_because": []})
    monkeypatch.setattr(publishing, "current_environment", lambda: environment)

    monkeypatch.setenv("OLIST_HOME", str(trees[0].folder))
    with pytest.raises(AirflowFailException, match=r"release .*\(Release 1\).*start a new run"):
        publishing.publish_marts.function()
    assert published == []
    monkeypatch.setenv("OLIST_HOME", str(trees[1].folder))
    assert publishing.publish_marts.function() == ["a mart"]


@pytest.mark.parametrize("name", [EnvironmentName.LOCAL, EnvironmentName.PROD])
def test_a_cleared_task_runs_on_the_deployed_release(name: EnvironmentName) -> None:
    settings = dag_bundle_settings(load_environment(name))
    assert settings["AIRFLOW__CORE__RERUN_WITH_LATEST_VERSION"] == "True"


def test_only_an_environment_of_one_machine_runs_a_checkout_by_choice() -> None:
    for name in (EnvironmentName.DEV, EnvironmentName.PROD):
        with pytest.raises(OlistError, match=f"{name} runs its deployed release and nothing else"):
            dag_source(load_environment(name), checkout=True)
