"""What runs is compared with what is deployed, file by file where it has to be."""

import shutil
from pathlib import Path

import pytest

import olist_platform
from olist_platform.environment import load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_platform.preflight import check_release
from olist_platform.release.bundle import Bundle
from olist_platform.release.deployment_steps import release_of
from olist_platform.release.release_tree import ReleaseTree
from olist_platform.release.running_release import (
    RunningRelease,
    library_differences,
    release_check,
    running_release,
)
from olist_workspace import ROOT
from release_bundles import bundle_with_library, note_deployed, small_bundle

LOCAL = EnvironmentName.LOCAL
LIBRARY = Path(olist_platform.__file__).parent
OLD, NEW = small_bundle(1), small_bundle(2)


def running(bundle: Bundle) -> RunningRelease:
    return RunningRelease(bundle.digest, bundle.manifest)


def test_only_the_deployed_release_may_run() -> None:
    old, new = running(OLD), running(NEW)
    assert OLD.digest in release_check("prod", old, release_of(OLD))
    assert release_check("local", None, None) == "a checkout; nothing is deployed here"
    for ours, deployed, said in (
        (old, release_of(NEW), rf"is of release .*Release 1.*{OLD.digest[:12]}; prod runs .*"),
        (new, None, "no release is deployed to prod"),
        (None, release_of(OLD), "this DAG is of a checkout, and prod runs release .*Release 1"),
    ):
        with pytest.raises(OlistError, match=said):
            release_check("prod", ours, deployed)
    with pytest.raises(OlistError, match=r"here is not that of .*: a\.py, b\.py, c\.py a"):
        release_check("prod", old, release_of(OLD), ["a.py", "b.py", "c.py", "d.py"])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout without data, in which the local environment's record is a folder."""
    for folder in ("dbt", "environments"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    return tmp_path


def test_preflight_lets_the_deployed_release_run_and_no_other(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = load_environment(LOCAL)
    assert check_release(environment) == "a checkout; nothing is deployed here"
    first, second = bundle_with_library(1), bundle_with_library(2)
    note_deployed(environment, first)
    with pytest.raises(OlistError, match="this DAG is of a checkout, and local runs release"):
        check_release(environment)
    tree = ReleaseTree(LOCAL, first)
    tree.unpack()
    assert tree.is_whole()
    assert running_release(tree.folder) == running(first)
    # A task of a run that began with this release has its folder as home.
    monkeypatch.setenv("OLIST_HOME", str(tree.folder))
    assert first.digest in check_release(environment)
    assert (tree.folder / "data").resolve() == home / "data"
    note_deployed(environment, second)
    with pytest.raises(OlistError, match=rf"this DAG is of release .*{first.digest[:12]}"):
        check_release(environment)


def test_another_library_is_named_by_its_files(tmp_path: Path) -> None:
    manifest = bundle_with_library(1).manifest
    assert library_differences(manifest) == ()
    copy = tmp_path / "olist_platform"
    shutil.copytree(LIBRARY, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "naming.py").write_text("")
    (copy / "extra.py").write_text("")
    (copy / "errors.py").unlink()
    assert library_differences(manifest, copy) == ("errors.py", "extra.py", "naming.py")


def test_a_damaged_tree_is_written_anew(home: Path) -> None:
    tree = ReleaseTree(LOCAL, OLD)
    tree.unpack()
    for damage in ("dbt/dbt_project.yml", "release/digest"):
        (tree.folder / damage).unlink()
        assert not tree.is_whole()
        tree.unpack()
        assert tree.is_whole()
    assert home in tree.folder.parents


def test_airflow_takes_the_deployed_releases_dags_and_a_run_keeps_its_own(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(home / "airflow"))
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(home / "bundles"))
    from olist_platform.release.dag_bundle import ReleaseDagBundle  # noqa: PLC0415

    def dags_of(bundle: ReleaseDagBundle) -> str:
        return (bundle.path / "olist_production.py").read_text()

    def version_of(bundle: ReleaseDagBundle) -> str:
        version = bundle.get_current_version()
        assert version is not None
        return version.version

    environment = load_environment(LOCAL)
    of_scheduler = ReleaseDagBundle(environment="local", name="olist")
    with pytest.raises(OlistError, match="no release is deployed to local, so there are no DAGs"):
        of_scheduler.initialize()
    first, second = bundle_with_library(1), bundle_with_library(2)
    note_deployed(environment, first)
    of_scheduler.initialize()
    assert (version_of(of_scheduler), dags_of(of_scheduler)) == (first.digest, "RELEASE = 1\n")
    of_task = ReleaseDagBundle(environment="local", name="olist", version=first.digest)
    note_deployed(environment, second)
    of_scheduler.refresh()
    of_task.initialize()
    of_task.refresh()
    assert (version_of(of_scheduler), dags_of(of_scheduler)) == (second.digest, "RELEASE = 2\n")
    assert (version_of(of_task), dags_of(of_task)) == (first.digest, "RELEASE = 1\n")
    assert ReleaseDagBundle.supports_versioning
