"""The Power BI project in `platform/powerbi`: made from descriptions, alike on every machine."""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from olist_platform.dashboards.catalog import load_dashboards
from olist_platform.dashboards.contracts import read_contracts
from olist_platform.environment import Environment, load_environment
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.naming import EnvironmentName
from olist_platform.powerbi.model_builder import REPORTED, build_model, model_parameters
from olist_platform.powerbi.report_builder import THEME_FILE, Json, report_files, theme
from olist_platform.powerbi.tmdl import identity, model_files
from olist_platform.repository import repository_root

_FABRIC = "https://developer.microsoft.com/json-schemas/fabric"
# What the project says as it lies here; a deployment sets its own environment's values.
_DEFAULT = EnvironmentName.DEV
_MADE = "# Made from environments/ by `olist dashboards powerbi`; a test holds it current.\n"


def project_folder() -> Path:
    """Folder of the project."""
    return repository_root() / "platform" / "powerbi"


def write_project(folder: Path | None = None) -> tuple[Path, int]:
    """Write the project; what it no longer has is removed.

    Args:
        folder: Where; `project_folder` unless told.

    Returns:
        The folder, and how many of its files changed.

    Raises:
        OlistError: A description is wrong or a file cannot be written.
    """
    folder = folder or project_folder()
    files = project_files()
    changed = 0
    with os_errors_explained(folder):
        for path in sorted(folder.rglob("*"), reverse=True):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and name not in files and ".pbi/" not in name:
                path.unlink()
                changed += 1
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        for name, content in files.items():
            path = folder / name
            if not path.is_file() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                changed += 1
    return folder, changed


def project_files() -> dict[str, bytes]:
    """Return every file of the project by its path within it.

    Raises:
        OlistError: A description or an environment is wrong.
    """
    environments = _environments()
    contracts, boards = read_contracts(), load_dashboards()
    model = build_model(boards, contracts, model_parameters(environments[_DEFAULT]))
    model_folder = f"{model.name}.SemanticModel"
    files: dict[str, str] = {"parameter.yml": _deployment_parameters(environments)}
    files[f"{model_folder}/.platform"] = _platform("SemanticModel", model.name, "Olist marts")
    files[f"{model_folder}/definition.pbism"] = _json(
        {
            "$schema": f"{_FABRIC}/item/semanticModel/definitionProperties/1.0.0/schema.json",
            "version": "4.2",
            "settings": {},
        }
    )
    for path, text in model_files(model).items():
        files[f"{model_folder}/definition/{path}"] = text
    for board in boards:
        if board.name not in REPORTED:
            continue
        report = f"{board.name}.Report"
        files[f"{board.name}.pbip"] = _json(
            {
                "$schema": f"{_FABRIC}/pbip/pbipProperties/1.0.0/schema.json",
                "version": "1.0",
                "artifacts": [{"report": {"path": report}}],
                "settings": {"enableAutoRecovery": True},
            }
        )
        files[f"{report}/.platform"] = _platform("Report", board.name, board.title)
        files[f"{report}/definition.pbir"] = _json(
            {
                "$schema": f"{_FABRIC}/item/report/definitionProperties/2.0.0/schema.json",
                "version": "4.0",
                "datasetReference": {"byPath": {"path": f"../{model_folder}"}},
            }
        )
        files[f"{report}/StaticResources/RegisteredResources/{THEME_FILE}"] = _json(theme())
        for path, content in report_files(board, contracts).items():
            files[f"{report}/definition/{path}"] = _json(content)
    return {name: text.encode() for name, text in sorted(files.items())}


def _environments() -> dict[EnvironmentName, Environment]:
    found = {name: load_environment(name) for name in EnvironmentName}
    with_power_bi = {name: one for name, one in found.items() if one.dashboards.power_bi}
    if _DEFAULT not in with_power_bi:
        raise OlistError(
            f"environment '{_DEFAULT}' has no Power BI, whose values the project holds",
            f"set dashboards.power_bi in environments/{_DEFAULT}.yaml",
        )
    return with_power_bi


def _deployment_parameters(environments: Mapping[EnvironmentName, Environment]) -> str:
    """Return what fabric-cicd puts into the model of each environment it deploys to."""
    values = {name: model_parameters(one) for name, one in environments.items()}
    content = {
        "find_replace": [
            {
                "find_value": rf'expression {parameter.name} = ("(?:[^"]|"")*") meta',
                "replace_value": {
                    name.value: _m_text(values[name][position].value) for name in environments
                },
                "is_regex": "true",
                "item_type": "SemanticModel",
                "file_path": "**/expressions.tmdl",
            }
            for position, parameter in enumerate(values[_DEFAULT])
        ]
    }
    return _MADE + yaml.safe_dump(content, sort_keys=False, width=1000)


def _m_text(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _platform(kind: str, name: str, title: str) -> str:
    return _json(
        {
            "$schema": f"{_FABRIC}/gitIntegration/platformProperties/2.0.0/schema.json",
            "metadata": {"type": kind, "displayName": title},
            "config": {"version": "2.0", "logicalId": identity(kind, name)},
        }
    )


def _json(content: Json) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
