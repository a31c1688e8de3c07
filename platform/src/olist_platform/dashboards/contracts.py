"""What dbt says of a mart: its grain, and the type, meaning and masking of each column.

It is read from the YAML beside the models, which dbt enforces as a contract, so that a description
can be judged without a warehouse and without dbt.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from olist_platform.dbt_command import dbt_project_folder
from olist_platform.errors import OlistError
from olist_platform.yaml_file import read_yaml_mapping

_FOLDERS = ("marts", "monitoring")
_SEE = "see CONTRIBUTING.md, dbt"


@dataclass(frozen=True, slots=True)
class ColumnContract:
    """A column: dbt's type of it, what it means, and whether personal data flow into it."""

    data_type: str
    description: str
    is_personal: bool


@dataclass(frozen=True, slots=True)
class Contract:
    """A mart, a monitoring model, or a table that monitoring writes.

    Attributes:
        name: dbt's name of it.
        reference: How dbt refers to it.
        description: What it holds.
        grain: Columns that tell its rows apart.
        columns: Its columns by name.
    """

    name: str
    reference: str
    description: str
    grain: tuple[str, ...]
    columns: Mapping[str, ColumnContract]


@dataclass(frozen=True, slots=True)
class Owner:
    """People of a group of dbt."""

    name: str
    email: str


def read_contracts(project: Path | None = None) -> dict[str, Contract]:
    """Return the contracts of all marts, monitoring models and tables of monitoring, by name.

    Args:
        project: Folder of the dbt project; the checkout's unless told.

    Raises:
        OlistError: A file cannot be read, or lacks what a page shows; the message names the column.
    """
    models = (project or dbt_project_folder()) / "models"
    return {
        contract.name: contract
        for folder in _FOLDERS
        for path in sorted((models / folder).rglob("*.yml"))
        for contract in _contracts_of(path)
    }


def read_owners(project: Path | None = None) -> dict[str, Owner]:
    """Return the owners of dbt's groups, by the group's name.

    Raises:
        OlistError: The file cannot be read.
    """
    path = (project or dbt_project_folder()) / "models" / "_groups.yml"
    return {
        group["name"]: Owner(group["owner"]["name"], group["owner"]["email"])
        for group in read_yaml_mapping(path, _SEE)["groups"]
    }


def _contracts_of(path: Path) -> Iterator[Contract]:
    content = read_yaml_mapping(path, _SEE)
    models = ((f"ref('{model['name']}')", model) for model in content.get("models", ()))
    tables = (
        (f"source('{source['name']}', '{table['name']}')", table)
        for source in content.get("sources", ())
        for table in source["tables"]
    )
    for reference, model in (*models, *tables):
        where = f"{path}: {model['name']}"
        columns = {
            column["name"]: ColumnContract(
                _said(column, "data_type", f"{where}.{column['name']}"),
                _said(column, "description", f"{where}.{column['name']}"),
                "masking" in column.get("config", {}).get("meta", {}),
            )
            for column in model.get("columns", ())
        }
        meta = model.get("config", {}).get("meta", {})
        grain = tuple(name.strip() for name in _said(meta, "grain", where).split(","))
        yield Contract(model["name"], reference, _said(model, "description", where), grain, columns)


def _said(properties: Mapping[str, Any], key: str, where: str) -> str:
    """Return a text on one line.

    Raises:
        OlistError: It is missing or empty.
    """
    text = " ".join(str(properties.get(key) or "").split())
    if not text:
        raise OlistError(f"{where}: it has no {key}", _SEE)
    return text
