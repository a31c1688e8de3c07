"""All descriptions of dashboards, read and judged: by themselves, against each other and dbt."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import RootModel, ValidationError

from olist_platform.dashboards.contracts import Contract, Owner, read_contracts, read_owners
from olist_platform.dashboards.description import (
    Aggregate,
    Bounds,
    Dashboard,
    FilterKind,
    Role,
    Tile,
)
from olist_platform.errors import OlistError
from olist_platform.repository import repository_root
from olist_platform.yaml_file import read_yaml_mapping

_SEE = "see platform/docs/dashboards.md for the keys and their meaning"
_ADDITIVE = "additive_columns.yaml"
_MONTHS = {"month", "period_start", "activity_month"}
# In the order in which people see them.
DASHBOARDS = (
    "executive_performance",
    "operations_intelligence",
    "customer_strategy",
    "platform_health",
)

AdditiveColumns = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Mart -> column -> the columns of its grain over which it may be summed."""


class _AdditiveFile(RootModel[dict[str, dict[str, tuple[str, ...]]]]):
    pass


def descriptions_folder() -> Path:
    """Folder of the descriptions."""
    return repository_root() / "platform" / "dashboards"


def load_dashboards(folder: Path | None = None, project: Path | None = None) -> list[Dashboard]:
    """Read every description and judge it.

    Args:
        folder: Where the descriptions lie; the checkout's unless told.
        project: Folder of the dbt project; the checkout's unless told.

    Raises:
        OlistError: A file is missing or a key is wrong; a tile names a mart, column, filter, tile
            or owner that is not there, shows personal data, or sums what does not add up.
    """
    folder = folder or descriptions_folder()
    contracts, owners = read_contracts(project), read_owners(project)
    dashboards = [_read(folder, name) for name in DASHBOARDS]
    additive = read_additive_columns(folder)
    targets = {f"{board.name}.{tile.name}" for board in dashboards for tile in board.tiles}
    for board in dashboards:
        faults = [*_faults(board, contracts, owners, additive, targets)]
        if faults:
            raise OlistError(f"{folder / board.name}.yaml: " + "; ".join(faults), _SEE)
    return dashboards


def read_additive_columns(folder: Path | None = None) -> AdditiveColumns:
    """Return which columns a tile may sum, and over what.

    Raises:
        OlistError: The file cannot be read, or holds something else.
    """
    path = (folder or descriptions_folder()) / _ADDITIVE
    try:
        return _AdditiveFile.model_validate(read_yaml_mapping(path, _SEE)).root
    except ValidationError as error:
        raise OlistError(f"{path}: {_explained(error)}", _SEE) from error


def summed_over(tile: Tile, contract: Contract) -> tuple[str, ...]:
    """Return the columns of the mart's grain over which an aggregated tile takes rows together."""
    apart = {column.column for column in tile.columns if not column.aggregate}
    single = {
        name
        for name, condition in tile.rows.where.items()
        if not isinstance(condition, tuple | Bounds)
    }
    latest = set() if tile.rows.latest_of else {tile.rows.latest, tile.rows.earliest}
    kept = {*apart, *single, *latest, *tile.hidden_columns}
    return tuple(name for name in contract.grain if name not in kept)


def _read(folder: Path, name: str) -> Dashboard:
    path = folder / f"{name}.yaml"
    content = read_yaml_mapping(path, _SEE)
    try:
        dashboard = Dashboard.model_validate(content)
    except ValidationError as error:
        raise OlistError(f"{path}: {_explained(error)}", _SEE) from error
    if dashboard.name != name:
        raise OlistError(
            f"{path}: key 'name' says '{dashboard.name}', the file's name says '{name}'",
            "make them agree",
        )
    return dashboard


def _explained(error: ValidationError) -> str:
    return "; ".join(
        f"key '{'.'.join(map(str, detail['loc']))}': {detail['msg'].removeprefix('Value error, ')}"
        for detail in error.errors()
    )


def _faults(
    board: Dashboard,
    contracts: Mapping[str, Contract],
    owners: Mapping[str, Owner],
    additive: AdditiveColumns,
    targets: set[str],
) -> Iterator[str]:
    if board.owner not in owners:
        yield f"owner '{board.owner}' is no group of dbt"
    for one in board.filters:
        yield from _column_faults(f"filter '{one.name}'", one.mart, one.mart_columns, contracts)
        if one.kind is FilterKind.CHOICE and (one.where or one.default_where):
            yield f"filter '{one.name}': a choice has no where and no default_where"
    for tile in board.tiles:
        what = f"tile '{tile.name}'"
        faults = [*_column_faults(what, tile.mart, tile.mart_columns, contracts)]
        yield from faults
        if tile.owner and tile.owner not in owners:
            yield f"{what}: owner '{tile.owner}' is no group of dbt"
        if tile.drill_down and tile.drill_down not in targets:
            yield f"{what}: drill_down '{tile.drill_down}' is no tile"
        if not faults:
            contract = contracts[tile.mart]
            yield from _grain_faults(what, tile, contract, additive, contracts)


def _column_faults(
    what: str, mart: str, columns: Sequence[str], contracts: Mapping[str, Contract]
) -> Iterator[str]:
    if mart not in contracts:
        yield f"{what}: '{mart}' is no mart and no monitoring model"
        return
    known = contracts[mart].columns
    for column in columns:
        if column not in known:
            yield f"{what}: {mart} has no column '{column}'"
        elif known[column].is_personal:
            yield f"{what}: {mart}.{column} tells of a person"


def _grain_faults(
    what: str,
    tile: Tile,
    contract: Contract,
    additive: AdditiveColumns,
    contracts: Mapping[str, Contract],
) -> Iterator[str]:
    dropped = summed_over(tile, contract)
    if not tile.is_aggregated:
        latest_of = bool(tile.rows.latest_of) and tile.rows.latest in dropped
        limited = bool(tile.rows.limit) and not tile.of_role(Role.TIME)
        open_grain = [name for name in dropped if not (latest_of and name == tile.rows.latest)]
        if open_grain and not limited:
            yield f"{what}: nothing tells its rows apart by {', '.join(open_grain)}"
        return
    allowed = additive.get(tile.mart, {})
    for column in tile.columns:
        if column.aggregate in (Aggregate.SUM, Aggregate.MEAN):
            over = set(dropped) - set(allowed.get(str(column.column), ()))
            if over or column.column not in allowed:
                yield (
                    f"{what}: {tile.mart}.{column.column} does not add up over "
                    f"{', '.join(sorted(over)) or 'rows'} (see {_ADDITIVE})"
                )

    if tile.hidden_columns and any(c.aggregate is Aggregate.MEAN for c in tile.columns):
        yield f"{what}: means of parts do not add up, so it cannot be filtered"
    yield from _held_faults(what, tile, contract, contracts)


def _held_faults(
    what: str, tile: Tile, contract: Contract, contracts: Mapping[str, Contract]
) -> Iterator[str]:
    """A sum that a mart holds is read from that mart: it is made in one place."""
    dropped = summed_over(tile, contract)
    apart = [column.column for column in tile.columns if not column.aggregate and column.column]
    grain = _compared([*apart, *tile.hidden_columns])
    for column in tile.columns:
        if column.aggregate is not Aggregate.SUM or not dropped:
            continue
        for mart in contracts.values():
            if column.column in mart.columns and _compared(mart.grain) == grain:
                yield f"{what}: {mart.name} holds {column.column} by {', '.join(sorted(grain))}"


def _compared(grain: Iterable[str]) -> set[str]:
    """Columns of a grain, so that those of two marts can be compared: months have several names."""
    return {"month" if name in _MONTHS else name for name in grain} - {"period_type"}
