"""Snowflake's ACCOUNT_USAGE in the emulator: columns as documented, rows as an account has."""

from pathlib import Path

from olist_workspace import ROOT
from snowflake_emulator import SnowflakeEmulator

FIXTURES = ROOT / "tests" / "monitoring" / "account_usage"

_MOMENT, _CREDITS, _TEXT, _NUMBER = "timestamptz", "decimal(38, 9)", "varchar", "bigint"
_TYPES = {
    "START_TIME": _MOMENT,
    "END_TIME": _MOMENT,
    "TOTAL_ELAPSED_TIME": _NUMBER,
    "COMPILATION_TIME": _NUMBER,
    "EXECUTION_TIME": _NUMBER,
}


def give_account_usage(emulator: SnowflakeEmulator) -> None:
    """Make the views of the fixtures, as tables, in the database SNOWFLAKE."""
    emulator.connection.execute("attach ':memory:' as SNOWFLAKE")
    emulator.connection.execute("create schema SNOWFLAKE.ACCOUNT_USAGE")
    for path in sorted(FIXTURES.glob("*.csv")):
        emulator.connection.execute(
            f"create table SNOWFLAKE.ACCOUNT_USAGE.{path.stem.upper()} as "
            f"select {', '.join(_columns(path))} from read_csv('{path}', all_varchar = true)"
        )


def _columns(path: Path) -> list[str]:
    header = path.read_text(encoding="utf-8").partition("\n")[0].split(",")
    return [f"{name}::{_type(name)} as {name}" for name in header]


def _type(name: str) -> str:
    if name in _TYPES:
        return _TYPES[name]
    if name.startswith("CREDITS"):
        return _CREDITS
    if name.startswith(("BYTES", "PARTITIONS", "QUEUED", "ROWS", "PERCENTAGE", "CLUSTER")):
        return _NUMBER
    return _NUMBER if name.endswith("_ID") and name == "WAREHOUSE_ID" else _TEXT
