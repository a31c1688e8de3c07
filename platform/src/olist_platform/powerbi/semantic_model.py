"""What a semantic model is made of, as Power BI calls it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class DataType(StrEnum):
    """Types of columns; `decimal` is fixed to four places."""

    STRING = "string"
    INT64 = "int64"
    DOUBLE = "double"
    DECIMAL = "decimal"
    DATE_TIME = "dateTime"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: Its name in the model, dbt's.
        data_type: Its type.
        description: What it means.
        source: Column of the query that fills it; None of one that is computed.
        expression: DAX of one that is computed; None otherwise.
        format_string: How Power BI writes it; None by its type.
        is_hidden: Whether readers do not see it in the list of fields.
        is_key: Whether it tells the rows of its table apart.
    """

    name: str
    data_type: DataType
    description: str
    source: str | None = None
    expression: str | None = None
    format_string: str | None = None
    is_hidden: bool = False
    is_key: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure: its DAX only chooses, counts, sums or averages what a mart holds."""

    name: str
    expression: str
    description: str
    format_string: str | None
    display_folder: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the Power Query that fills it; `is_dates` marks the one of dates."""

    name: str
    description: str
    columns: Sequence[Column]
    query: str
    measures: Sequence[Measure] = ()
    is_hidden: bool = False
    is_dates: bool = False


@dataclass(frozen=True, slots=True)
class Relationship:
    """Many rows of one table belong to one row of another."""

    from_table: str
    from_column: str
    to_table: str
    to_column: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A text that a deployment sets."""

    name: str
    value: str
    description: str


@dataclass(frozen=True, slots=True)
class Role:
    """Who is in it sees the rows for which each table's DAX is true, and all of other tables."""

    name: str
    description: str
    filters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SemanticModel:
    """The whole model."""

    name: str
    culture: str
    parameters: Sequence[Parameter]
    tables: Sequence[Table]
    relationships: Sequence[Relationship]
    roles: Sequence[Role] = field(default_factory=tuple)

    def table(self, name: str) -> Table:
        """Return a table by its name; raises KeyError."""
        return {table.name: table for table in self.tables}[name]
