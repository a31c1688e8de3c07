"""The layout traps of architecture.md, and the direction in which packages may lean."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from olist_platform.environment import load_environment
from olist_platform.naming import EnvironmentName
from olist_workspace import ROOT
from yaml_files import read_yaml

# Who may import whom among the project's own packages.
MAY_IMPORT = {
    "platform/src": {"olist_platform"},
    "infra": {"olist_platform", "olist_infra"},
    "policies": {"olist_platform", "olist_policies"},
    "dags": {"olist_platform", "olist_dags"},
}
OWN_PACKAGES = {"olist_platform", "olist_infra", "olist_policies", "olist_dags"}


def tracked_files() -> list[Path]:
    """Files that git tracks or would track, from the checkout's root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [Path(name) for name in listed if (ROOT / name).exists()]


def own_imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names & OWN_PACKAGES


def test_no_folder_shadows_a_package() -> None:
    """platform/__init__.py would hide the standard library's platform; dbt/__init__.py dbt."""
    found = [path for path in tracked_files() if path.name == "__init__.py"]
    assert Path("platform/src/olist_platform/__init__.py") in found
    assert [path for path in found if len(path.parts) == 2 or path.parts[0] == "tests"] == []
    assert [
        path
        for path in tracked_files()
        if path.parts[:2] in (("tests", "platform"), ("tests", "dbt"))
    ] == []


def test_no_dag_file_is_taken_for_a_dbt_plugin() -> None:
    """dbt imports every top-level module named dbt_*."""
    assert [
        path
        for path in tracked_files()
        if path.suffix == ".py" and path.name.startswith("dbt_") and path.parts[0] == "dags"
    ] == []


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_packages_lean_one_way(folder: str) -> None:
    sources = [
        path for path in tracked_files() if path.suffix == ".py" and path.is_relative_to(folder)
    ]
    leaning = {str(path): own_imports(path) - MAY_IMPORT[folder] for path in sources}
    assert {path: names for path, names in leaning.items() if names} == {}


def test_dbt_holds_no_python() -> None:
    assert [
        path for path in tracked_files() if path.parts[0] == "dbt" and path.suffix == ".py"
    ] == []


def test_nothing_tracked_names_a_registry_or_holds_data() -> None:
    tracked = tracked_files()
    assert not [path for path in tracked if path.name == "uv.lock" or path.parts[0] == "data"]
    assert not [path for path in tracked if path.suffix == ".whl"]
    for lock in (ROOT / "requirements").iterdir():
        text = lock.read_text(encoding="utf-8")
        assert not re.search(r"(https?|file)://", text), lock
        if lock.suffix == ".txt":
            pins = [line for line in text.splitlines() if "==" in line]
            assert pins
            assert text.count("--hash=sha256:") >= len(pins)


def test_no_environment_is_half_configured() -> None:
    folder = ROOT / "environments"
    files = {path.stem for path in folder.glob("*.yaml") if not path.name.startswith("Pulumi.")}
    environments = {name.value for name in EnvironmentName}
    assert files == environments, f"environments/<name>.yaml: {sorted(files ^ environments)}"
    outputs = read_yaml(ROOT / "dbt" / "profiles.yml")["olist"]["outputs"]
    targets = set(outputs)
    assert targets == environments, f"dbt/profiles.yml, outputs: {sorted(targets ^ environments)}"
    stacks = {path.stem.removeprefix("Pulumi.") for path in folder.glob("Pulumi.*.yaml")}
    in_cloud = {name.value for name in EnvironmentName if load_environment(name).cloud}
    assert stacks == in_cloud, f"environments/Pulumi.<name>.yaml: {sorted(stacks ^ in_cloud)}"
    for name in EnvironmentName:
        environment = load_environment(name)
        assert outputs[name]["type"] == environment.warehouse.engine
