"""Two pictures in Mermaid, from the model: who may do what, and the way of the data.

GitHub draws Mermaid in a Markdown page, so the page is text that a review can compare.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from olist_platform.access_model import (
    FUNCTIONAL_ROLES,
    AccessRole,
    AccountAccessRole,
    DatabaseAccessRole,
    DatabasePrivileges,
    FunctionalRole,
    InAccount,
    InDatabase,
    ObjectPrivileges,
    SchemaPrivileges,
    SnowflakeDatabaseRole,
    WarehousePrivileges,
    access_roles,
    reads,
)
from olist_platform.errors import os_errors_explained
from olist_platform.naming import EnvironmentName, Layer, Names
from olist_platform.repository import repository_root
from olist_platform.source_catalog import CATALOG, Dataset

_EXAMPLE = Names(EnvironmentName.DEV)
_REF = re.compile(r"""\bref\(\s*["'](\w+)["']""")
_RAW_SOURCE = re.compile(r"""\bsource\(\s*["']olist["']""")
# Where dbt keeps what, and the layer that it builds.
_DBT_FOLDERS = {
    Layer.STAGING: "models/staging",
    Layer.INTERMEDIATE: "models/intermediate",
    Layer.MARTS: "models/marts",
    Layer.MONITORING: "models/monitoring",
    Layer.SNAPSHOTS: "snapshots",
}

_PAGE = """# The model in pictures

Written by `olist diagrams` from the access model, the source catalog, the naming module and dbt's
references; a test holds that it is current. Names are those of dev.

## The way of the data

{data_flow}

## Who may do what in the database

A functional role holds database roles; each also has USAGE on the database and on its schema.
[Why it has this shape](decisions/access-model.md).

{database_roles}

## Who may use what of the account

`AR__OLIST_DEV__PII__UNMASKED` holds nothing: masks ask whether a session has it.

{account_roles}

Every functional role rolls up to SYSADMIN. The deployer stands outside: the bootstrap makes it.
"""


def diagrams_path() -> Path:
    """Path of the page in the checkout."""
    return repository_root() / "platform" / "docs" / "diagrams.md"


def write_diagrams() -> Path:
    """Write the page and return its path.

    Raises:
        OlistError: It cannot be written, or dbt's models cannot be read.
    """
    path = diagrams_path()
    with os_errors_explained(path):
        path.write_text(diagrams_page(repository_root() / "dbt"), encoding="utf-8")
    return path


def diagrams_page(dbt_folder: Path) -> str:
    """Return the page.

    Args:
        dbt_folder: dbt's project, whose references say which layer is made of which.
    """
    return _PAGE.format(
        data_flow=data_flow(CATALOG, layer_edges(dbt_folder), FUNCTIONAL_ROLES),
        database_roles=roles_and_objects(FUNCTIONAL_ROLES, DatabaseAccessRole),
        account_roles=roles_and_objects(FUNCTIONAL_ROLES, AccountAccessRole),
    )


def layer_edges(dbt_folder: Path) -> set[tuple[Layer, Layer]]:
    """Return which layer is made of which, by the references of dbt's models and snapshots.

    Raises:
        OlistError: A file cannot be read.
    """
    models: dict[str, tuple[Layer, str]] = {}
    for layer, folder in _DBT_FOLDERS.items():
        # A snapshot is a YAML file; the YAML of a model refers to nothing that its SQL does not.
        suffix = "yml" if layer is Layer.SNAPSHOTS else "sql"
        for path in sorted((dbt_folder / folder).rglob(f"*.{suffix}")):
            with os_errors_explained(path):
                models[path.stem] = layer, path.read_text(encoding="utf-8")
    edges: set[tuple[Layer, Layer]] = set()
    for layer, text in models.values():
        sources = {models[name][0] for name in _REF.findall(text) if name in models}
        if _RAW_SOURCE.search(text):
            sources.add(Layer.RAW)
        edges.update((source, layer) for source in sources if source is not layer)
    return edges


def data_flow(
    datasets: Sequence[Dataset],
    edges: set[tuple[Layer, Layer]],
    roles: Sequence[FunctionalRole],
) -> str:
    """Return the picture of the way from a landing file to its readers.

    Args:
        datasets: The source catalog.
        edges: What `layer_edges` returns.
        roles: The functional roles; those who read a layer are its readers.
    """
    names = _EXAMPLE
    return _flowchart(
        [
            f'files(["{len(datasets)} data sets"]) -->|olist land| landing',
            f'landing[("S3 bucket {names.landing_bucket("account")}<br>dataset/dt=…/*.csv.gz")]',
            f'landing -->|"{names.storage_integration}"| stage["stage {names.landing_stage}"]',
            *(f"stage -->|S3 event| {_pipe(dataset)}" for dataset in datasets),
            *(f'{_pipe(dataset)}["{names.pipe(dataset)}"]' for dataset in datasets),
            *(f"{_pipe(dataset)} -->|COPY| {_layer(Layer.RAW)}" for dataset in datasets),
            f'subgraph database["database {names.database}"]',
            *(f'{_layer(layer)}[("{layer.upper()}")]' for layer in Layer),
            "end",
            *(
                f"{_layer(source)} -->|dbt| {_layer(layer)}"
                for source, layer in itertools.product(Layer, Layer)
                if (source, layer) in edges
            ),
            f'{_layer(Layer.MARTS)} ==>|"olist publish"| {_layer(Layer.SERVING)}',
            *(
                f'{_layer(layer)} -.-> readers_{layer}(["{"<br>".join(found)}"])'
                for layer in Layer
                if (found := _readers(layer, roles))
            ),
        ],
    )


def _readers(layer: Layer, roles: Sequence[FunctionalRole]) -> list[str]:
    return [role.name for role in roles if reads(layer) in role.holds]


def roles_and_objects(roles: Sequence[FunctionalRole], kind: type[AccessRole]) -> str:
    """Return the picture of functional roles, the access roles of a kind, and their objects.

    Args:
        roles: The functional roles.
        kind: Access roles of the database or of the account.
    """
    shown = [access for access in access_roles(roles) if isinstance(access, kind)]
    holders = [role for role in roles if any(access in shown for access in role.holds)]
    grants = [(access, *_grant_text(grant)) for access in shown for grant in access.grants]
    told = [(access, what, on) for access, what, on in grants if on]
    objects = sorted({on for _, _, on in told})
    return _flowchart(
        [
            *(
                f'{_functional(role)}(["{_EXAMPLE.functional_role(role.name)}<br>'
                f'{"a program" if role.service else "people"}"])'
                for role in holders
            ),
            *(f'{_access(role)}["{_access_name(role)}"]' for role in shown),
            *(f'{_object(on)}[("{on}")]' for on in objects),
            *(
                f"{_functional(role)} --> {_access(access)}"
                for role in holders
                for access in role.holds
                if access in shown
            ),
            *(
                f'{_access(access)} -->|"{"<br>".join(texts)}"| {_object(on)}'
                for (access, on), texts in _by_object(told).items()
            ),
        ]
    )


def _by_object(
    grants: Iterable[tuple[AccessRole, str, str]],
) -> dict[tuple[AccessRole, str], list[str]]:
    """Gather what an access role may do with one object."""
    found: dict[tuple[AccessRole, str], list[str]] = {}
    for access, what, on in grants:
        found.setdefault((access, on), []).append(what)
    return found


def _grant_text(grant: InDatabase | InAccount) -> tuple[str, str]:
    """Return what a grant allows, and on which object; no object where it is only the way in."""
    match grant:
        case SchemaPrivileges(schema, privileges):
            told = [privilege for privilege in privileges if privilege != "USAGE"]
            return ", ".join(told), f"schema {schema.upper()}" if told else ""
        case DatabasePrivileges(privileges):
            told = [privilege for privilege in privileges if privilege != "USAGE"]
            return ", ".join(told), f"database {_EXAMPLE.database}" if told else ""
        case ObjectPrivileges(schema, object_type, privileges):
            return (
                f"{', '.join(privileges)} on {object_type.plural.lower()}",
                f"schema {schema.upper()}",
            )
        case WarehousePrivileges(workload, privileges):
            return ", ".join(privileges), f"warehouse {_EXAMPLE.warehouse(workload)}"
        case SnowflakeDatabaseRole(name):
            return "holds", f"database role SNOWFLAKE.{name}"


def _access_name(role: AccessRole) -> str:
    if isinstance(role, DatabaseAccessRole):
        return _EXAMPLE.database_access_role(role.name)
    return _EXAMPLE.account_access_role(role.name)


# Mermaid takes words for identifiers; the prefixes keep them apart from its own, such as `end`.
def _functional(role: FunctionalRole) -> str:
    return f"fr_{role.name}"


def _access(role: AccessRole) -> str:
    return f"ar_{role.name}"


def _pipe(dataset: Dataset) -> str:
    return f"pipe_{dataset.name}"


def _layer(layer: Layer) -> str:
    return f"layer_{layer}"


def _object(text: str) -> str:
    return "on_" + re.sub(r"\W", "_", text).lower()


def _flowchart(lines: Iterable[str]) -> str:
    indented, depth = [], 1
    for line in lines:
        depth -= line == "end"
        indented.append("    " * depth + line)
        depth += line.startswith("subgraph ")
    return "\n".join(["```mermaid", "flowchart LR", *indented, "```"])
