"""The semantic model that tiles need, from the dashboards' descriptions and dbt's contracts."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence

from olist_platform.access_model import REPORTER
from olist_platform.dashboards.contracts import ColumnContract, Contract
from olist_platform.dashboards.description import (
    BIN_QUOTIENT_PLACES,
    Dashboard,
    Filter,
    FilterKind,
    Format,
    Tile,
    TileColumn,
)
from olist_platform.dashboards.description import (
    Role as TileRole,
)
from olist_platform.dbt_command import dbt_project_folder
from olist_platform.environment import Environment, SnowflakeWarehouse
from olist_platform.errors import OlistError
from olist_platform.naming import Layer, Workload
from olist_platform.powerbi.measures import (
    DATE,
    DATES,
    MONTH,
    TileMeasure,
    chosen_month,
    is_measured,
    tile_measure,
)
from olist_platform.powerbi.semantic_model import (
    Column,
    DataType,
    Measure,
    Parameter,
    Relationship,
    Role,
    SemanticModel,
    Table,
)
from olist_platform.powerbi.words import format_string

# These have reports in Power BI; the platform's health is for engineers and stays on the web.
REPORTED = ("executive_performance", "operations_intelligence", "customer_strategy")
STATE_READERS = "State readers"
STATE_ROLE = "State reader"
_STATE = "state"
_CULTURE = "pt-BR"
# Places of Power BI's decimal.
_FIXED_PLACES = 4
_NUMERIC = (DataType.INT64, DataType.DOUBLE, DataType.DECIMAL)
_QUERY_TYPES = {
    DataType.STRING: "type text",
    DataType.INT64: "Int64.Type",
    DataType.DOUBLE: "type number",
    DataType.DECIMAL: "Currency.Type",
    DataType.BOOLEAN: "type logical",
}


def build_model(
    dashboards: Sequence[Dashboard],
    contracts: Mapping[str, Contract],
    parameters: Sequence[Parameter],
) -> SemanticModel:
    """Return the model of the dashboards that have reports.

    Args:
        dashboards: All dashboards.
        contracts: dbt's contracts by the mart's name.
        parameters: What a deployment sets, see `model_parameters`.

    Raises:
        OlistError: Two tiles would give one measure two meanings, or a type is not known.
    """
    reported = [board for board in dashboards if board.name in REPORTED]
    marts = list(dict.fromkeys(mart for board in reported for mart in board.marts))
    measures = _measures(reported, contracts)
    computed = _computed_columns(reported)
    formats = _formats(reported)
    tables = [
        _mart_table(contracts[mart], measures.get(mart, ()), computed.get(mart, ()), formats)
        for mart in marts
    ]
    choices = _choices(reported)
    dates = _date_columns(reported, contracts)
    return SemanticModel(
        name="olist",
        culture=_CULTURE,
        parameters=parameters,
        tables=[
            _date_table(dates),
            *(_choice_table(title, columns) for title, columns in choices.items()),
            *tables,
            _state_readers(),
        ],
        relationships=[
            *(Relationship(mart, column, DATES, DATE) for mart, column in dates.items()),
            *(
                Relationship(mart, column, title, title.lower())
                for title, columns in choices.items()
                for mart, column in columns.items()
            ),
        ],
        roles=[_state_role()],
    )


def model_parameters(environment: Environment) -> tuple[Parameter, ...]:
    """Return what an environment's deployment of the model sets.

    Raises:
        OlistError: The environment has no Power BI, or a reader's state is none of Brazil's.
    """
    warehouse, power_bi = environment.warehouse, environment.dashboards.power_bi
    if power_bi is None or not isinstance(warehouse, SnowflakeWarehouse):
        raise OlistError(
            f"environment '{environment.name}' has no Power BI",
            f"set dashboards.power_bi in environments/{environment.name}.yaml",
        )
    names, known = environment.names, _brazilian_states()
    for one in power_bi.state_readers:
        # They would see no rows, and nobody why.
        if unknown := sorted(set(one.states) - known):
            raise OlistError(
                f"environments/{environment.name}.yaml: dashboards.power_bi.state_readers:"
                f" {one.reader} reads {', '.join(unknown)}, which is no state",
                f"use some of: {', '.join(sorted(known))}",
            )
    # In an address Snowflake writes the account's underscores as hyphens.
    host = warehouse.account.replace("_", "-").lower()
    readers = [
        {"reader": one.reader, "state": state}
        for one in power_bi.state_readers
        for state in one.states
    ]
    return (
        Parameter("SnowflakeServer", f"{host}.snowflakecomputing.com", "Snowflake account."),
        Parameter("SnowflakeWarehouse", names.warehouse(Workload.REPORT), "Warehouse of readers."),
        Parameter("SnowflakeRole", names.functional_role(REPORTER.name), "Role of readers."),
        Parameter("SnowflakeDatabase", names.database, "Database of the marts."),
        Parameter(
            "StateReaders",
            json.dumps(readers),
            "Who sees the rows of which state, as JSON; see dashboards.power_bi.state_readers.",
        ),
    )


def _brazilian_states() -> set[str]:
    path = dbt_project_folder() / "seeds" / "brazilian_states.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {row["state"] for row in csv.DictReader(file)}


def _measures(
    reported: Sequence[Dashboard], contracts: Mapping[str, Contract]
) -> dict[str, list[Measure]]:
    found: dict[str, dict[str, Measure]] = {}
    for one in _tile_measures(reported, contracts):
        of_mart = found.setdefault(one.mart, {})
        known = of_mart.setdefault(one.measure.name, one.measure)
        if known.expression != one.measure.expression:
            raise OlistError(
                f"two tiles need '{one.measure.name}' with different rows",
                "give them the same rows.where in platform/dashboards/",
            )
    return {mart: sorted(each.values(), key=lambda m: m.name) for mart, each in found.items()}


def _tile_measures(
    reported: Sequence[Dashboard], contracts: Mapping[str, Contract]
) -> Iterator[TileMeasure]:
    for board in reported:
        for one in board.filters:
            if one.kind is FilterKind.PERIOD:
                yield chosen_month(one)
        for tile in board.tiles:
            for column in tile.columns:
                if is_measured(tile, column):
                    yield tile_measure(board, tile, column, contracts)


def _formats(reported: Sequence[Dashboard]) -> dict[tuple[str, str], Format]:
    """How a column is written: as the first tile that shows it says."""
    found: dict[tuple[str, str], Format] = {}
    for board in reported:
        for tile in board.tiles:
            for column in tile.columns:
                if column.column and column.key == column.column:
                    found.setdefault((tile.mart, column.column), column.format)
    return found


def _computed_columns(reported: Sequence[Dashboard]) -> dict[str, list[Column]]:
    """Columns by which tiles tell rows apart and that no mart holds: parts of codes, and bins."""
    found: dict[str, dict[str, Column]] = {}
    for board in reported:
        for tile in board.tiles:
            for column in tile.columns:
                if computed := computed_column(tile, column):
                    found.setdefault(tile.mart, {})[computed.name] = computed
    return {mart: list(each.values()) for mart, each in found.items()}


def computed_column(tile: Tile, column: TileColumn) -> Column | None:
    """Return the computed column that a tile's column stands for; None for the mart's own."""
    reference = f"{tile.mart}[{column.column}]"
    if column.character:
        expression = f"MID({reference}, {column.character}, 1)"
        said = f"Character {column.character} of {column.column}."
        return Column(column.key, DataType.STRING, said, expression=expression, is_hidden=True)
    if column.bin_width and column.last_bin is not None:
        last = round(column.last_bin / column.bin_width)
        quotient = f"ROUND({reference} / {column.bin_width}, {BIN_QUOTIENT_PLACES})"
        bins = f"MIN(INT({quotient}), {last}) * {column.bin_width}"
        return Column(
            f"{column.key}_bin",
            DataType.DOUBLE,
            f"Where the bin of {column.column} begins; the last one holds everything above too.",
            expression=f"IF(NOT ISBLANK({reference}), {bins})",
            format_string=format_string(column.format),
            is_hidden=True,
        )
    return None


def _mart_table(
    contract: Contract,
    measures: Sequence[Measure],
    computed: Sequence[Column],
    formats: Mapping[tuple[str, str], Format],
) -> Table:
    # Personal columns never leave Snowflake, masked or not.
    columns = [
        _mart_column(contract.name, name, column, formats)
        for name, column in contract.columns.items()
        if not column.is_personal
    ]
    return Table(
        contract.name,
        contract.description,
        [*columns, *computed],
        _mart_query(contract, columns),
        measures,
    )


def _mart_column(
    mart: str,
    name: str,
    column: ColumnContract,
    formats: Mapping[tuple[str, str], Format],
) -> Column:
    data_type = _data_type(mart, name, column.data_type)
    shown = formats.get((mart, name))
    if shown is None and column.data_type == "date":
        shown = Format.DATE
    return Column(
        name,
        data_type,
        column.description,
        source=name.upper(),
        format_string=format_string(shown) if shown else None,
        # Readers take the measures.
        is_hidden=data_type in _NUMERIC,
    )


def _data_type(mart: str, name: str, declared: str) -> DataType:
    kind, _, size = declared.lower().partition("(")
    if kind == "decimal" and int(size.rstrip(")").partition(",")[2]) > _FIXED_PLACES:
        # Power BI's decimal would round each of them, and sums and bins with them.
        return DataType.DOUBLE
    known = {
        "varchar": DataType.STRING,
        "integer": DataType.INT64,
        "bigint": DataType.INT64,
        "double": DataType.DOUBLE,
        "decimal": DataType.DECIMAL,
        "date": DataType.DATE_TIME,
        "timestamp": DataType.DATE_TIME,
        "boolean": DataType.BOOLEAN,
    }
    if kind not in known:
        raise OlistError(
            f"{mart}.{name}: the type {declared} has no counterpart in Power BI",
            "name it in platform/src/olist_platform/powerbi/model_builder.py",
        )
    return known[kind]


def _mart_query(contract: Contract, columns: Sequence[Column]) -> str:
    names = ", ".join(f'"{column.source}"' for column in columns)
    types = ", ".join(
        f'{{"{column.source}", {_query_type(contract, column)}}}' for column in columns
    )
    options = '[Role = SnowflakeRole, Implementation = "2.0"]'
    return _query(
        Source=f"Snowflake.Databases(SnowflakeServer, SnowflakeWarehouse, {options})",
        Database='Source{[Name = SnowflakeDatabase, Kind = "Database"]}[Data]',
        Serving=f'Database{{[Name = "{Layer.SERVING.upper()}", Kind = "Schema"]}}[Data]',
        Mart=f'Serving{{[Name = "{contract.name.upper()}", Kind = "Table"]}}[Data]',
        Chosen=f"Table.SelectColumns(Mart, {{{names}}})",
        Typed=f"Table.TransformColumnTypes(Chosen, {{{types}}})",
    )


def _query(**steps: str) -> str:
    """Return a query whose answer is its last step."""
    lines = ",\n".join(f"    {name} = {step}" for name, step in steps.items())
    return f"let\n{lines}\nin\n    {list(steps)[-1]}"


def _query_type(contract: Contract, column: Column) -> str:
    if column.data_type is DataType.DATE_TIME:
        is_day = contract.columns[column.name].data_type == "date"
        return "type date" if is_day else "type datetime"
    return _QUERY_TYPES[column.data_type]


def _date_columns(
    reported: Sequence[Dashboard], contracts: Mapping[str, Contract]
) -> dict[str, str]:
    """Mart -> the day by which it belongs to the table of dates."""
    found: dict[str, str] = {}
    for board in reported:
        for tile in board.tiles:
            periods = [
                tile.filters[one.name]
                for one in board.filters
                if one.kind is FilterKind.PERIOD and one.name in tile.filters
            ]
            times = [str(column.column) for column in tile.of_role(TileRole.TIME)]
            groups = [str(c.column) for c in tile.columns if c.format is Format.MONTH]
            for name in (*periods, *times, *groups):
                if contracts[tile.mart].columns[name].data_type == "date":
                    found.setdefault(tile.mart, name)
    return found


def _date_table(dates: Mapping[str, str]) -> Table:
    ends = [f"{mart}[{column.upper()}]" for mart, column in dates.items()]
    query = _query(
        Known=f"List.RemoveNulls(List.Combine({{{', '.join(ends)}}}))",
        First="Date.StartOfYear(List.Min(Known))",
        Last="Date.EndOfYear(List.Max(Known))",
        Days="List.Dates(First, Duration.Days(Last - First) + 1, #duration(1, 0, 0, 0))",
        Dates=_one_column("Days", DATE, "date"),
        Months=f'Table.AddColumn(Dates, "{MONTH}", each Date.StartOfMonth([date]), type date)',
        Years='Table.AddColumn(Months, "year", each Date.Year([date]), Int64.Type)',
        Weeks=(
            'Table.AddColumn(Years, "week", each Date.StartOfWeek([date], Day.Monday), type date)'
        ),
    )
    month = format_string(Format.MONTH)
    day = format_string(Format.DATE)
    return Table(
        DATES,
        "Every day of the years that the marts know, for choosing a period.",
        [
            Column(DATE, DataType.DATE_TIME, "Day.", DATE, format_string=day, is_key=True),
            Column(
                MONTH, DataType.DATE_TIME, "First day of its month.", MONTH, format_string=month
            ),
            Column("year", DataType.INT64, "Year.", "year", format_string="0"),
            Column("week", DataType.DATE_TIME, "Monday of its week.", "week", format_string=day),
        ],
        query,
        is_dates=True,
    )


def _choices(reported: Sequence[Dashboard]) -> dict[str, dict[str, str]]:
    """What readers may choose, such as a state -> mart -> its column."""
    found: dict[str, dict[str, str]] = {}
    for board in reported:
        for one in board.filters:
            if one.kind is not FilterKind.CHOICE:
                continue
            of_choice = found.setdefault(one.title, {})
            of_choice.setdefault(one.mart, one.column)
            for tile in board.tiles:
                if one.name in tile.filters:
                    _join(of_choice, one, tile)
    return found


def _join(of_choice: dict[str, str], one: Filter, tile: Tile) -> None:
    column = tile.filters[one.name]
    if of_choice.setdefault(tile.mart, column) != column:
        raise OlistError(
            f"filter '{one.name}' means {of_choice[tile.mart]} and {column} of {tile.mart}",
            "let it mean one column of a mart in platform/dashboards/",
        )


def _choice_table(title: str, columns: Mapping[str, str]) -> Table:
    name = title.lower()
    lists = ", ".join(f"{mart}[{column.upper()}]" for mart, column in columns.items())
    query = _query(
        Known=f"List.Sort(List.Distinct(List.RemoveNulls(List.Combine({{{lists}}}))))",
        Listed=_one_column("Known", name, "text"),
    )
    column = Column(name, DataType.STRING, f"{title}, as the marts write it.", name, is_key=True)
    return Table(title, f"Every {name} that the marts know, for choosing one.", [column], query)


def _one_column(values: str, name: str, kind: str) -> str:
    return f"Table.FromList({values}, Splitter.SplitByNothing(), type table [{name} = {kind}])"


def _state_readers() -> Table:
    query = _query(
        Known="Json.Document(StateReaders)",
        Listed="Table.FromRecords(Known, type table [reader = text, state = text])",
    )
    return Table(
        STATE_READERS,
        "Who sees the rows of which state.",
        [
            Column("reader", DataType.STRING, "Address by which they log in.", "reader"),
            Column(_STATE, DataType.STRING, "State whose rows they see.", _STATE),
        ],
        query,
        is_hidden=True,
    )


def _state_role() -> Role:
    readers = f"'{STATE_READERS}'"
    mine = f"{readers}[reader] = USERPRINCIPALNAME()"
    own = f"CALCULATETABLE(VALUES({readers}[{_STATE}]), {mine})"
    return Role(
        STATE_ROLE,
        "Sees rows of sellers, customers, lanes and orders of their states only; figures of the"
        " whole nation, which name no state, stay visible. Personal columns are in no role: the"
        " model does not hold them.",
        {"State": f"State[{_STATE}] IN {own}", STATE_READERS: mine},
    )
