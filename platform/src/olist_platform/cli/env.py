"""`olist env`: what an environment resolves to."""

import json
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.table import Table
from rich.tree import Tree

from olist_platform.access_model import FUNCTIONAL_ROLES, SERVICE_ROLES
from olist_platform.cli.console import environment_named, out
from olist_platform.environment import (
    Environment,
    S3Landing,
    SnowflakeWarehouse,
    load_environment,
)
from olist_platform.naming import EnvironmentName, Layer, Workload
from olist_platform.settings_model import SecretReference
from olist_platform.source_catalog import CATALOG

app = typer.Typer(help="Show the environments.", no_args_is_help=True)


@app.command("list")
def list_environments() -> None:
    """List every environment and what it is.

    Example:  olist env list
    """
    table = Table("environment", "engine", "landing", "what it is")
    for name in EnvironmentName:
        environment = load_environment(name)
        table.add_row(
            name, environment.warehouse.engine, environment.landing_url, environment.description
        )
    out.print(table)


@app.command(epilog="Example:  olist env show prod --json | jq .names.warehouses")
def show(
    name: Annotated[str, typer.Argument(help="local, dev or prod.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other tools.")] = False,
) -> None:
    """Print an environment's settings and the names of its objects; secrets stay hidden."""
    environment = environment_named(name)
    resolved = {
        "settings": _hide_secrets(environment),
        "names": resolved_names(environment),
    }
    if as_json:
        out.print_json(json.dumps(resolved))
        return
    tree = Tree(f"[bold]{environment.name}[/] - {environment.description}")
    _grow(tree, resolved)
    out.print(tree)


def resolved_names(environment: Environment) -> dict[str, Any]:
    """Return the names of every object of an environment, by kind."""
    names = environment.names
    common: dict[str, Any] = {
        "landing": environment.landing_url,
        "schemas": [names.schema(layer) for layer in Layer],
        "raw_tables": [names.raw_table(dataset) for dataset in CATALOG],
    }
    if isinstance(environment.warehouse, SnowflakeWarehouse):
        common |= {
            "database": names.database,
            "account": environment.warehouse.account,
            "warehouses": [names.warehouse(workload) for workload in Workload],
            "functional_roles": [names.functional_role(role.name) for role in FUNCTIONAL_ROLES],
            "service_users": [names.service_user(role.name) for role in SERVICE_ROLES],
            "storage_integration": names.storage_integration,
            "stage": names.landing_stage,
            "file_format": names.file_format,
            "pipes": [names.pipe(dataset) for dataset in CATALOG],
        }
        if isinstance(environment.landing, S3Landing):
            common["landing_bucket"] = names.landing_bucket(environment.landing.aws_account_id)
    else:
        common |= {
            "database": names.duckdb_database,
            "file": str(environment.duckdb_path),
            "serving_file": str(environment.serving_path),
        }
    return common


def _hide_secrets(settings: object) -> Any:
    if isinstance(settings, SecretReference):
        state = "set" if settings.is_set() else "not set on this machine"
        return f"hidden; from {settings.environment_variable} ({state})"
    if isinstance(settings, BaseModel):
        return {field: _hide_secrets(value) for field, value in settings}
    if isinstance(settings, dict):
        return {str(key): _hide_secrets(value) for key, value in settings.items()}
    if isinstance(settings, tuple):
        return [str(value) for value in settings]
    return settings if settings is None or isinstance(settings, int | float) else str(settings)


def _grow(tree: Tree, content: dict[str, Any]) -> None:
    for key, value in content.items():
        if isinstance(value, dict):
            _grow(tree.add(f"[bold cyan]{key}[/]"), value)
        elif isinstance(value, list):
            tree.add(f"[cyan]{key}[/]: {', '.join(value)}")
        else:
            tree.add(f"[cyan]{key}[/]: {value}")
