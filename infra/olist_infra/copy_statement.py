"""The COPY statement by which a pipe loads a dataset's files."""

from olist_platform.naming import snowflake_identifier
from olist_platform.source_catalog import LOADED_AT, SOURCE_FILE, SOURCE_ROW, Dataset


def copy_statement(dataset: Dataset, *, table: str, stage: str, file_format: str) -> str:
    """Return the statement that loads new files of a dataset's landing folder.

    A file with a broken record is skipped whole and told of, so that none is half loaded. A COPY
    that transforms does not compare the number of columns, nor a header: a file with other columns
    loads. The production DAG reads every new file before dbt does, as the local loader reads it,
    and stops at one that this refuses (`olist_platform.raw_loading.snowpipe`).

    Args:
        dataset: The dataset; its columns are taken by their order in the file.
        table: Qualified name of its raw table.
        stage: Qualified name of the stage over the landing bucket.
        file_format: Qualified name of the landing files' format.
    """
    load_columns = {
        SOURCE_FILE: "METADATA$FILENAME",
        SOURCE_ROW: "METADATA$FILE_ROW_NUMBER",
        # Snowflake advises against CURRENT_TIMESTAMP here; a pipe's own time zone is the account's.
        LOADED_AT: "CONVERT_TIMEZONE('UTC', METADATA$START_SCAN_TIME)::TIMESTAMP_NTZ",
    }
    columns = [snowflake_identifier(column) for column in (*dataset.header, *load_columns)]
    values = [f"${position}" for position, _ in enumerate(dataset.columns, start=1)]
    return (
        f"COPY INTO {table} ({', '.join(columns)}) "  # noqa: S608 - names of the catalog
        f"FROM (SELECT {', '.join([*values, *load_columns.values()])} "
        f"FROM @{stage}/{dataset.name}/) "
        f"FILE_FORMAT = (FORMAT_NAME = '{file_format}') "
        "ON_ERROR = SKIP_FILE"
    )
