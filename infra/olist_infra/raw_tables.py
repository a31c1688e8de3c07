"""The raw tables: one for each dataset of the source catalog, all text, append-only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_snowflake as snowflake

from olist_platform.naming import Names
from olist_platform.source_catalog import LOADED_AT, SOURCE_FILE, SOURCE_ROW, Dataset

_TEXT = "VARCHAR"
_LOAD_COLUMNS = (
    (SOURCE_FILE, _TEXT, "Path of the landing file, from the landing's root"),
    (SOURCE_ROW, "NUMBER(38,0)", "Number of the record in its file"),
    (LOADED_AT, "TIMESTAMP_NTZ(9)", "When the file was loaded, UTC"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTablesArgs:
    """Which tables, and where.

    Attributes:
        names: Names of the environment.
        database: The database.
        schema: The raw schema.
        datasets: The datasets.
        protect: Whether Pulumi refuses to delete a table.
    """

    names: Names
    database: pulumi.Input[str]
    schema: pulumi.Input[str]
    datasets: Sequence[Dataset]
    protect: bool


class RawTables(pulumi.ComponentResource):
    """The raw tables.

    Attributes:
        by_dataset: The table of each dataset, by the dataset's name.
    """

    def __init__(
        self, name: str, args: RawTablesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:ingestion:RawTables", name, None, opts)
        self.by_dataset: Mapping[str, snowflake.Table] = {
            dataset.name: snowflake.Table(
                f"raw-{dataset.name}",
                name=args.names.raw_table(dataset).upper(),
                database=args.database,
                schema=args.schema,
                columns=_columns(dataset),
                comment=dataset.file_name,
                opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
            )
            for dataset in args.datasets
        }
        self.register_outputs(
            {
                "tables": {
                    dataset: table.fully_qualified_name
                    for dataset, table in self.by_dataset.items()
                }
            }
        )


def _columns(dataset: Dataset) -> list[snowflake.TableColumnArgs]:
    return [
        snowflake.TableColumnArgs(name=column.upper(), type=_TEXT, nullable=True)
        for column in dataset.header
    ] + [
        snowflake.TableColumnArgs(name=column.upper(), type=kind, nullable=False, comment=meaning)
        for column, kind, meaning in _LOAD_COLUMNS
    ]
