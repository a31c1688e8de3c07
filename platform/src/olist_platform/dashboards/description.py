"""What a dashboard shows, as `platform/dashboards/<name>.yaml` says it.

The web pages, the Power BI reports, dbt's exposures, the e-mail and the documents are made from
these descriptions and repeat none of them. A tile selects rows of a mart; beyond that it may only
count them, or sum or average what `platform/dashboards/additive_columns.yaml` allows. Every key is
explained in platform/docs/dashboards.md.
"""

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, model_validator

from olist_platform.settings_model import Settings

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_Sentence = Annotated[str, Field(min_length=10)]
Scalar = bool | int | float | str


class TileKind(StrEnum):
    """How a tile shows its rows.

    Attributes:
        KPI: One figure with its changes, its target and its history.
        RANKING: A few rows, named and short, for the eye in passing.
        TABLE: Rows and columns.
        LINE: Values over time.
        BAR: A value by category, in parts where there is a series.
        FORECAST: Actual values over time, then the forecast in its intervals.
        BAND: A value over time in the range that was expected of it.
        RANGE: A value by category between a lower and an upper one.
        HISTOGRAM: How many, by the size of a value.
        HEATMAP: A value by two categories.
    """

    KPI = "kpi"
    RANKING = "ranking"
    TABLE = "table"
    LINE = "line"
    BAR = "bar"
    FORECAST = "forecast"
    BAND = "band"
    RANGE = "range"
    HISTOGRAM = "histogram"
    HEATMAP = "heatmap"


class Role(StrEnum):
    """What a column is in its tile.

    Attributes:
        TIME: Moment or period, along the horizontal axis.
        CATEGORY: What rows are told apart by; of a heat map, its rows.
        SERIES: What lines or parts of bars are told apart by; of a heat map, its columns.
        VALUE: What is shown.
        CHANGE: How far the value is from another period's.
        FORECAST: What is expected of a time to come.
        LOWER: Lower end of an interval, the widest first.
        UPPER: Upper end of the interval of the same place.
        DETAIL: Said beside the value: in tables, tooltips, under a figure.
    """

    TIME = "time"
    CATEGORY = "category"
    SERIES = "series"
    VALUE = "value"
    CHANGE = "change"
    FORECAST = "forecast"
    LOWER = "lower"
    UPPER = "upper"
    DETAIL = "detail"


class Format(StrEnum):
    """How a value is written; a reader chooses Portuguese or English signs.

    Attributes:
        MONEY: BRL to the cent where small, shortened on axes.
        COUNT: A whole number.
        NUMBER: A number with up to two decimals.
        SHARE: A fraction, as per cent with one decimal.
        POINTS: A difference of two fractions, as signed percentage points.
        GROWTH: A fraction, as signed per cent.
        SCORE: A score with two decimals.
        DATE: A day.
        MONTH: A month, stored as its first day.
        MOMENT: A moment, stored in UTC and shown in São Paulo's time.
        TEXT: Words.
        FLAG: Yes or no.
    """

    MONEY = "money"
    COUNT = "count"
    NUMBER = "number"
    SHARE = "share"
    POINTS = "points"
    GROWTH = "growth"
    SCORE = "score"
    DATE = "date"
    MONTH = "month"
    MOMENT = "moment"
    TEXT = "text"
    FLAG = "flag"


class Aggregate(StrEnum):
    """What a tile may do to a column: nothing, unless one of these is named.

    Attributes:
        ROWS: Number of rows; names no column.
        SUM: Sum of the column.
        MEAN: Sum of the column / rows that hold it.
    """

    ROWS = "rows"
    SUM = "sum"
    MEAN = "mean"


# Of a value over the width of its bin: as doubles, 0.15 / 0.05 falls short of 3.
BIN_QUOTIENT_PLACES = 6
DIMENSIONS = frozenset({Role.TIME, Role.CATEGORY, Role.SERIES})
_UNITLESS = frozenset({Format.TEXT, Format.DATE, Format.MONTH, Format.MOMENT, Format.FLAG})


class TileColumn(Settings):
    """A column of a mart and what it is in the tile.

    Attributes:
        role: What it is for.
        column: Column of the mart; None of a number of rows alone.
        label: What people read; starts with a capital letter.
        format: How values are written.
        unit: What they are counted in, such as BRL or orders; empty of words and dates.
        aggregate: What is done to it over the rows that are taken together; None shows it as it is.
        character: Only this character of a code that is written together, from 1.
        bin_width: Only of a histogram: values are told apart by this width, in the column's
            unit.
        last_bin: Where its last bin begins, which holds everything above too.
    """

    role: Role
    column: _Name | None = None
    label: Annotated[str, Field(pattern=r"^[A-Z0-9].*[^.]$")]
    format: Format
    unit: str = ""
    aggregate: Aggregate | None = None
    character: Annotated[int, Field(ge=1)] | None = None
    bin_width: Annotated[float, Field(gt=0)] | None = None
    last_bin: float | None = None

    @property
    def key(self) -> str:
        """Name of the value in the tile's rows."""
        match self.aggregate, self.character:
            case Aggregate.ROWS, _:
                return "number_of_rows"
            case Aggregate.MEAN, _:
                return f"mean_{self.column}"
            case _, int(position):
                return f"{self.column}_{position}"
            case _:
                return str(self.column)

    @property
    def is_dimension(self) -> bool:
        """Whether rows are told apart by it."""
        return self.aggregate is None and self.role in DIMENSIONS

    @model_validator(mode="after")
    def _is_whole(self) -> "TileColumn":
        if (self.column is None) != (self.aggregate is Aggregate.ROWS):
            raise ValueError(f"'{self.label}': name a column, or aggregate rows")
        if self.aggregate and self.role in DIMENSIONS:
            raise ValueError(f"'{self.label}': a {self.role} is not aggregated")
        if (self.bin_width is None) != (self.last_bin is None):
            raise ValueError(f"'{self.label}': a bin_width wants a last_bin, and the reverse")
        if (self.unit == "") != (self.format in _UNITLESS):
            raise ValueError(f"'{self.label}': a unit belongs to numbers, and to them alone")
        return self


class Bounds(Settings):
    """A closed interval; an end that is left out is open."""

    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Bounds":
        if self.at_least is None and self.at_most is None:
            raise ValueError("say at_least or at_most")
        return self


class Present(Settings):
    """Whether a column holds a value."""

    present: bool


Conditions = dict[_Name, Scalar | tuple[Scalar, ...] | Bounds | Present]
"""Column and what it must be: a value, one of a list, within bounds, or present."""


class Order(Settings):
    """Order of rows by a value of theirs.

    Attributes:
        by: The value.
        of: Value that rows of one bar share: bars are ordered by the sums of their parts.
        values: Words in their order, where that is not the alphabet's; others follow.
        descending: The largest first.
    """

    by: str
    of: _Name | None = None
    values: tuple[str, ...] = ()
    descending: bool = False


class Selection(Settings):
    """Which rows of the mart a tile shows.

    Attributes:
        where: Column and what it must be: a value, one of a list, within bounds, or present.
        latest: Rows of the largest value of this column only, after `where`.
        earliest: Rows of its smallest value only.
        latest_of: Columns within whose values `latest` is sought; without, in all rows.
        order: By which values of the tile's rows they are ordered.
        limit: At most so many rows; Power BI lists them all, in their order.
        limit_of: Columns within whose values the limit counts; without, over all rows.
        show: Rows shown before the reader asks for all of them; the limit, unless said.
    """

    where: Conditions = Field(default_factory=dict)
    latest: _Name | None = None
    earliest: _Name | None = None
    latest_of: tuple[_Name, ...] = ()
    order: tuple[Order, ...] = ()
    limit: Annotated[int, Field(ge=1, le=2000)] | None = None
    limit_of: tuple[_Name, ...] = ()
    show: Annotated[int, Field(ge=1, le=100)] | None = None

    @model_validator(mode="after")
    def _is_cut_by_rows(self) -> "Selection":
        if self.limit and any(one.of for one in self.order):
            raise ValueError("a limit counts rows, so it does not go with the order of whole bars")
        return self

    @model_validator(mode="after")
    def _orders_by_sums_or_words(self) -> "Selection":
        if any(one.of and one.values for one in self.order):
            raise ValueError("sums of parts are no words: an order has of or values")
        return self


class Target(Settings):
    """What a figure should be.

    Attributes:
        column: Column of the mart that is judged; the tile's value unless said.
        at_least: Smallest figure that meets it.
        at_most: Largest figure that meets it.
        label: What people read.
    """

    column: _Name | None = None
    at_least: float | None = None
    at_most: float | None = None
    label: str

    @model_validator(mode="after")
    def _has_one_end(self) -> "Target":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a target is at_least or at_most, and one of them")
        return self

    def is_met_by(self, figure: float) -> bool:
        """Whether a figure is as it should be."""
        if self.at_least is not None:
            return figure >= self.at_least
        return self.at_most is None or figure <= self.at_most


class Tile(Settings):
    """One figure, chart or table.

    Attributes:
        name: Its name within the dashboard.
        title: What it shows.
        note: What a reader must know beside it; empty where title and terms say all.
        kind: How it is shown.
        mart: The published mart or monitoring model it reads.
        columns: What it shows, in the order of a table.
        rows: Which rows.
        filters: Filter of the dashboard -> column of the mart that it narrows.
        target: What the value should be.
        term: Column whose description in dbt explains the tile; its value's unless said.
        drill_down: Tile with more about it, `<dashboard>.<tile>`.
        empty: What it says where it has no rows; "Not recorded yet." unless said.
        missing: What it says where its mart is not there.
        owner: Group of dbt that answers for it; the dashboard's unless said.
    """

    name: _Name
    title: str
    note: str = ""
    kind: TileKind
    mart: _Name
    columns: Annotated[tuple[TileColumn, ...], Field(min_length=1)]
    rows: Selection = Selection()
    filters: dict[_Name, _Name] = Field(default_factory=dict)
    target: Target | None = None
    term: _Name | None = None
    drill_down: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")] | None = None
    empty: str = "Not recorded yet."
    missing: str = "Not recorded yet: its source is not built, or was being built."
    owner: _Name | None = None

    def of_role(self, role: Role) -> tuple[TileColumn, ...]:
        """Return the columns of a role, in their order."""
        return tuple(column for column in self.columns if column.role is role)

    def only(self, role: Role) -> TileColumn:
        """Return the first column of a role, which the kind is known to have."""
        return self.of_role(role)[0]

    @property
    def is_aggregated(self) -> bool:
        """Whether rows of the mart are taken together."""
        return any(column.aggregate or column.bin_width for column in self.columns)

    @property
    def hidden_columns(self) -> tuple[str, ...]:
        """Columns that filters or a target need and that are not shown."""
        shown = {column.key for column in self.columns}
        target = {self.target.column} if self.target and self.target.column else set()
        wanted = dict.fromkeys([*self.filters.values(), *sorted(target)])
        return tuple(column for column in wanted if column not in shown)

    @property
    def mart_columns(self) -> tuple[str, ...]:
        """Every column of the mart that the tile names, for whatever purpose."""
        rows = self.rows
        moments = (name for name in (rows.latest, rows.earliest, self.term) if name)
        named = (column.column for column in self.columns if column.column)
        everything = [*named, *self.hidden_columns, *rows.where, *moments]
        return tuple(dict.fromkeys([*everything, *rows.latest_of, *rows.limit_of]))

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "Tile":
        missing = [role for role in _NEEDED[self.kind] if not self.of_role(role)]
        if missing:
            raise ValueError(f"tile '{self.name}': a {self.kind} needs a {missing[0]}")
        if len(self.of_role(Role.LOWER)) != len(self.of_role(Role.UPPER)):
            raise ValueError(f"tile '{self.name}': an interval has a lower and an upper end")
        return self

    @model_validator(mode="after")
    def _tells_rows_apart(self) -> "Tile":
        keys = [column.key for column in self.columns]
        if len(set(keys)) < len(keys):
            raise ValueError(f"tile '{self.name}': a column is shown twice")
        binned = any(column.bin_width for column in self.columns)
        if binned != (self.kind is TileKind.HISTOGRAM):
            raise ValueError(f"tile '{self.name}': a histogram, and only that, has a bin_width")
        known = {*keys, *self.hidden_columns}
        for named in (name for one in self.rows.order for name in (one.by, one.of) if name):
            if named not in known:
                raise ValueError(f"tile '{self.name}': it is ordered by '{named}', not shown")
        plain = [c for c in self.columns if not c.aggregate and not c.is_dimension]
        if self.is_aggregated and any(c.role is not Role.DETAIL for c in plain):
            raise ValueError(f"tile '{self.name}': say how its values are aggregated")
        return self


_NEEDED: dict[TileKind, tuple[Role, ...]] = {
    TileKind.KPI: (Role.TIME, Role.VALUE),
    TileKind.RANKING: (Role.CATEGORY, Role.VALUE),
    TileKind.TABLE: (),
    TileKind.LINE: (Role.TIME, Role.VALUE),
    TileKind.BAR: (Role.CATEGORY, Role.VALUE),
    TileKind.FORECAST: (Role.TIME, Role.VALUE, Role.FORECAST, Role.LOWER),
    TileKind.BAND: (Role.TIME, Role.VALUE, Role.LOWER),
    TileKind.RANGE: (Role.CATEGORY, Role.VALUE, Role.LOWER),
    TileKind.HISTOGRAM: (Role.CATEGORY, Role.VALUE),
    TileKind.HEATMAP: (Role.CATEGORY, Role.SERIES, Role.VALUE),
}


class Page(Settings):
    """Tiles that answer one question: a page of the Power BI report, a section of the web page."""

    name: _Name
    title: str
    question: Annotated[str, Field(pattern=r"^[A-Z].*\?$")]
    tiles: Annotated[tuple[Tile, ...], Field(min_length=1)]


class FilterKind(StrEnum):
    """How a filter is asked for.

    Attributes:
        PERIOD: One of the periods that are there; the last complete one unless chosen.
        CHOICE: One of the values that its mart or any tile that it narrows holds, or all.
    """

    PERIOD = "period"
    CHOICE = "choice"


class Filter(Settings):
    """What a reader may narrow a dashboard by; each tile says which column of it that is.

    Attributes:
        name: Its name within the dashboard.
        title: What people read beside it.
        kind: How it is asked for.
        mart: Mart whose values may be chosen.
        column: Column that holds them.
        where: Of a period: which rows of it count.
        default_where: Of a period: of those rows, the ones among which the latest is chosen unless
            a reader chooses; where none is, all of them.
        default_note: Of a period: why a later one is not chosen.
    """

    name: _Name
    title: str
    kind: FilterKind
    mart: _Name
    column: _Name
    where: Conditions = Field(default_factory=dict)
    default_where: Conditions = Field(default_factory=dict)
    default_note: str = ""

    @property
    def mart_columns(self) -> tuple[str, ...]:
        """Every column of the mart that it names."""
        return tuple(dict.fromkeys([self.column, *self.where, *self.default_where]))


class Dashboard(Settings):
    """One dashboard.

    Attributes:
        name: Its name; dbt's exposure is called so, and so is its file.
        title: What people call it.
        summary: Whose questions it answers, in a sentence.
        maturity: dbt's word for how settled it is.
        web_page: File of its web page; the first of all is `index.html`.
        owner: Group of dbt that answers for it.
        filters: What it may be narrowed by.
        pages: What it shows.
    """

    name: _Name
    title: str
    summary: _Sentence
    maturity: Literal["high", "medium", "low"]
    web_page: Annotated[str, Field(pattern=r"^[a-z-]+\.html$")]
    owner: _Name
    filters: tuple[Filter, ...] = ()
    pages: Annotated[tuple[Page, ...], Field(min_length=1)]

    @cached_property
    def tiles(self) -> tuple[Tile, ...]:
        """Every tile, in the order of the pages."""
        return tuple(tile for page in self.pages for tile in page.tiles)

    @property
    def marts(self) -> tuple[str, ...]:
        """Every mart and monitoring model that it reads, in the order of first use."""
        filters = (one.mart for one in self.filters)
        return tuple(dict.fromkeys([*(tile.mart for tile in self.tiles), *filters]))

    def columns_of(self, one: Filter) -> tuple[tuple[str, str], ...]:
        """Return the marts and their columns that a filter narrows, its own first."""
        of_tiles = (
            (tile.mart, tile.filters[one.name]) for tile in self.tiles if one.name in tile.filters
        )
        return tuple(dict.fromkeys([(one.mart, one.column), *of_tiles]))

    def tile(self, name: str) -> Tile:
        """Return the tile of a name; raises KeyError."""
        return {tile.name: tile for tile in self.tiles}[name]

    @model_validator(mode="after")
    def _names_are_its_own(self) -> "Dashboard":
        for what, names in (
            ("tile", [tile.name for tile in self.tiles]),
            ("page", [page.name for page in self.pages]),
            ("filter", [one.name for one in self.filters]),
        ):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"there are two {what}s called '{twice[0]}'")
        filters = {one.name for one in self.filters}
        for tile in self.tiles:
            if unknown := sorted(set(tile.filters) - filters):
                raise ValueError(f"tile '{tile.name}': the dashboard has no filter '{unknown[0]}'")
        return self
