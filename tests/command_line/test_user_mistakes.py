"""Every mistake a user can make ends with one clear message, its mend and a non-zero exit."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import duckdb
import psutil
import pytest

from olist_workspace import Workspace
from waiting import wait_until


@pytest.fixture(scope="module")
def workspace(make_workspace: Callable[[str], Workspace]) -> Workspace:
    return make_workspace("mistakes")


@pytest.fixture
def warehouse(workspace: Workspace) -> Iterator[Path]:
    workspace.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(workspace.warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.mart_numbers as select 1.50::decimal(18, 2) as n")
    workspace.serving.parent.mkdir()
    with duckdb.connect(str(workspace.serving)) as connection:
        connection.execute("create table mart_numbers as select 1.50::decimal(18, 2) as n")
    yield workspace.warehouse
    workspace.warehouse.unlink()
    shutil.rmtree(workspace.serving.parent)


def test_an_unknown_environment(workspace: Workspace) -> None:
    for command in (["env", "show", "staging"], ["load", "--env", "staging"]):
        printed = workspace.olist(*command, expect=1)
        assert "error: unknown environment 'staging'" in printed
        assert "use one of: local, dev, prod" in printed


def test_a_wrong_folder(workspace: Workspace) -> None:
    for command in (["land", "nowhere"], ["demo", "--from", "nowhere"]):
        printed = workspace.olist(*command, expect=1)
        assert "nowhere" in printed
        assert "does not exist" in printed
    assert not workspace.warehouse.exists()


@pytest.mark.parametrize(
    "command",
    [
        ["generate", "", "--orders", "5"],
        ["land", ""],
        ["land", ".", "--to", ""],
        ["load", "--from", ""],
        ["demo", "--from", ""],
    ],
)
def test_an_empty_text_is_not_the_folder_one_is_in(
    make_workspace: Callable[[str], Workspace], command: list[str]
) -> None:
    workspace = make_workspace("unset")
    # What a person would stand in: it holds a file that could be landed.
    header = "product_category_name,product_category_name_english\n"
    (workspace.home / "product_category_name_translation.csv").write_text(header, encoding="utf-8")
    before = sorted(workspace.home.iterdir())
    printed = workspace.olist(*command, expect=1)
    assert "error: an empty text is no " in printed
    assert "mend:" in printed
    assert sorted(workspace.home.iterdir()) == before


@pytest.mark.slow
def test_a_missing_file(workspace: Workspace, tmp_path: Path) -> None:
    workspace.olist("generate", tmp_path, "--orders", "50")
    (tmp_path / "olist_sellers_dataset.csv").unlink()
    commands: list[list[str | Path]] = [["land", tmp_path], ["demo", "--from", tmp_path]]
    for command in commands:
        printed = workspace.olist(*command, expect=1)
        assert "sellers (olist_sellers_dataset.csv)" in printed
        assert "--allow-missing" in printed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--as-of-date", "29.08.2018"], "parameter as_of_date: '29.08.2018' is no date"),
        (["run", "--select", "stg_orders --full-refresh"], "holds an option of dbt"),
        (["run", "--select", ""], "--select is empty"),
        (["run", "--as-of-date", " "], "--as-of-date is empty"),
        (["run", "development", "--schema", ""], "--schema is empty"),
        (["run", "development", "--schema", "Ü b"], "'Ü b' cannot be the schema of a development"),
        (["run", "--schema", "pr_12"], "--schema is development's"),
        (["run", "development", "--full-refresh"], "are production's"),
        (["resume"], "olist_production: nothing to resume: it has not run yet"),
    ],
)
def test_a_dag_asked_for_what_makes_no_sense(
    workspace: Workspace, arguments: list[str], told: str
) -> None:
    printed = workspace.olist("dag", *arguments, expect=1)
    assert told in printed
    assert "mend:" in printed


@pytest.mark.parametrize("content", [b"", b"x" * 8192], ids=["empty", "binary"])
def test_a_damaged_database_of_airflow_is_named(
    make_workspace: Callable[[str], Workspace], content: bytes
) -> None:
    workspace = make_workspace("damaged")
    home = workspace.home / "data" / "local" / "airflow"
    home.mkdir(parents=True)
    (home / "ready").write_text(version("apache-airflow"), encoding="utf-8")
    (home / "airflow.db").write_bytes(content)
    # Without keys the folder counts as not ready: it is made anew, history and all.
    (home / "keys.json").write_text("null", encoding="utf-8")
    assert "it has not run yet" in workspace.olist("dag", "resume", expect=1)
    home.mkdir(parents=True, exist_ok=True)
    (home / "ready").write_text(version("apache-airflow"), encoding="utf-8")
    (home / "keys.json").write_text('{"api": "a", "jwt": "b"}', encoding="utf-8")
    (home / "airflow.db").write_bytes(content)
    printed = workspace.olist("dag", "resume", expect=1)
    assert f"error: {home}/airflow.db: Airflow's database cannot be read" in printed
    assert f"move {home} away" in printed


def test_a_damaged_outbox_is_begun_anew(make_workspace: Callable[[str], Workspace]) -> None:
    workspace = make_workspace("damaged_outbox")
    outbox = workspace.home / "data" / "local" / "alerts" / "outbox.sqlite"
    outbox.parent.mkdir(parents=True)
    outbox.write_bytes(b"x" * 8192)
    printed = workspace.olist("alerts", "list", expect=1)
    assert f"sqlite:///{outbox}" in printed
    assert "move that file away" in printed
    outbox.rename(outbox.with_name("damaged"))
    assert workspace.olist("alerts", "list") == "no open alerts in local\n"


def test_no_warehouse_yet(workspace: Workspace) -> None:
    printed = workspace.olist("query", "--working", "select 1", expect=1)
    assert "there is no warehouse yet" in printed
    assert "make demo" in printed


def test_nothing_is_published_yet(workspace: Workspace) -> None:
    printed = workspace.olist("query", "select 1", expect=1)
    assert "nothing is published yet" in printed
    assert "run `make demo` or `olist publish`" in printed


def test_nothing_has_landed_yet(make_workspace: Callable[[str], Workspace]) -> None:
    printed = make_workspace("empty").olist("load", expect=1)
    assert "does not exist" in printed
    assert "olist land" in printed


def test_a_locked_warehouse(workspace: Workspace, warehouse: Path) -> None:
    hold = (
        "import duckdb, sys, time; connection = duckdb.connect(sys.argv[1]); "
        "print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, warehouse], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            printed = workspace.olist("query", "--working", "from mart_numbers", expect=1)
        finally:
            holder.kill()
    assert "the warehouse is locked" in printed
    assert f"PID {holder.pid}" in printed
    assert "run the same command again" in printed


@pytest.mark.usefixtures("warehouse")
def test_wrong_sql_and_sql_that_writes(workspace: Workspace) -> None:
    for place in ([], ["--working"]):
        assert "mart_number" in workspace.olist("query", *place, "from mart_number", expect=1)
        printed = workspace.olist("query", *place, "drop table mart_numbers", expect=1)
        assert "read-only" in printed
        assert "1.50" in workspace.olist("query", *place, "from mart_numbers")


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize("place", [[], ["--working"]], ids=["published", "working"])
def test_a_question_reaches_no_other_file(
    workspace: Workspace, tmp_path: Path, place: list[str]
) -> None:
    other = tmp_path / "kept.csv"
    other.write_text("kept", encoding="utf-8")
    for path in (other, workspace.serving, workspace.warehouse):
        before = path.read_bytes()
        printed = workspace.olist("query", *place, f"copy (select 1) to '{path}'", expect=1)
        assert "file system operations are disabled" in printed
        assert path.read_bytes() == before
    assert "1.50" in workspace.olist("query", *place, "from mart_numbers")


@pytest.mark.usefixtures("warehouse")
def test_one_statement_is_answered_at_a_time(workspace: Workspace) -> None:
    for statements, said in (("select 1; select 2", "not 2"), (";", "not 0")):
        printed = workspace.olist("query", statements, expect=1)
        assert f"one statement is answered at a time, {said}" in printed


@pytest.mark.usefixtures("warehouse")
def test_a_statement_in_another_encoding_is_told(workspace: Workspace) -> None:
    # As a terminal that writes Latin-1 hands it over.
    printed = workspace.olist(
        "query", b"select 'S\xe3o Paulo'".decode(errors="surrogateescape"), expect=1
    )
    assert "the statement is no text in UTF-8" in printed
    assert "mend:" in printed
    assert "São Paulo" in workspace.olist("query", "select\n'São Paulo' as city")


@pytest.mark.usefixtures("warehouse")
def test_a_broken_published_copy_is_published_again(workspace: Workspace) -> None:
    workspace.serving.write_bytes(b"this is no database" * 1000)
    printed = workspace.olist("query", "from mart_numbers", expect=1)
    assert f"{workspace.serving}: it is not a DuckDB database" in printed
    assert "olist publish" in printed
    printed = workspace.olist("dashboards", "build", expect=1)
    assert f"{workspace.serving}: it is not a DuckDB database" in printed
    assert "olist publish" in printed


@pytest.mark.usefixtures("warehouse")
def test_what_csv_and_json_do_not_know_is_text_or_nothing(workspace: Workspace) -> None:
    sql = "select [1, 2] as list, interval 90 minute as span, 'nan'::double as x, 0.5::double as y"
    assert workspace.olist("query", "-f", "csv", f"select * exclude (x) from ({sql})") == (
        '"list","span","y"\n"[1, 2]",'
        '"MonthDayNano(months=0, days=0, nanoseconds=5400000000000)",0.5\n'
    )
    assert json.loads(
        workspace.olist("query", "-f", "json", f"select * exclude (span) from ({sql})")
    ) == [{"list": [1, 2], "x": None, "y": 0.5}]
    assert '"mart_numbers"' in workspace.olist("query", "-f", "csv", "show all tables")


@pytest.mark.usefixtures("warehouse")
def test_more_columns_than_the_screen_holds_are_shown_record_by_record(
    workspace: Workspace,
) -> None:
    columns = ", ".join(f"{number} as a_long_name_{number:02d}" for number in range(40))
    printed = workspace.olist("query", f"select {columns} union all select {columns}")
    lines = printed.splitlines()
    assert lines[0].startswith("1 ")
    assert [line.split() for line in lines[1:41]] == [
        [f"a_long_name_{number:02d}", str(number)] for number in range(40)
    ]
    assert lines[41].startswith("2 ")


@pytest.mark.usefixtures("warehouse")
def test_query_prints_tables_csv_and_json(workspace: Workspace) -> None:
    sql = (
        "select n, null as nothing, 'São Paulo' as city, date '2018-01-31' as day from mart_numbers"
    )
    table = workspace.olist("query", sql)
    assert "1.50" in table
    assert "São Paulo" in table
    assert workspace.olist("query", "-f", "csv", sql) == (
        '"n","nothing","city","day"\n1.50,,"São Paulo",2018-01-31\n'
    )
    printed = workspace.olist("query", "-f", "json", sql)
    assert '"n": "1.50"' in printed
    assert '"nothing": null' in printed
    assert '"day": "2018-01-31"' in printed


@pytest.mark.usefixtures("warehouse")
def test_a_table_says_what_it_leaves_out(workspace: Workspace) -> None:
    printed = workspace.olist("query", "--rows", "2", "select * from range(5)")
    assert "2 of 5 rows shown" in printed


def test_a_secret_that_is_not_set(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLIST_SNOWFLAKE_PRIVATE_KEY", raising=False)
    printed = workspace.olist("dbt", "--env", "prod", "--", "parse", expect=1)
    assert "OLIST_SNOWFLAKE_PRIVATE_KEY is not set" in printed


def test_dbt_writes_no_colours_into_a_pipe(workspace: Workspace) -> None:
    printed = workspace.olist("dbt", "--", "ls", "--select", "nothing_of_this_name")
    assert "does not match any enabled nodes" in printed
    assert "\x1b" not in printed


def test_a_command_for_duckdb_on_snowflake(workspace: Workspace) -> None:
    for command in (["query", "select 1"], ["query", "--working", "select 1"], ["load"]):
        printed = workspace.olist(*command, "--env", "prod", expect=1)
        assert "nowflake" in printed


def test_secrets_stay_hidden(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLIST_SNOWFLAKE_PRIVATE_KEY", "hush-hush")
    for arguments in ([], ["--json"]):
        printed = workspace.olist("env", "show", "prod", *arguments)
        assert "hush-hush" not in printed
        assert "OLIST_SNOWFLAKE_PRIVATE_KEY (set)" in printed
        assert "OLIST_PROD_TRANSFORM_WH" in printed


def test_what_cannot_be_written_or_made_is_said_before_the_work(
    workspace: Workspace, tmp_path: Path
) -> None:
    printed = workspace.olist("generate", tmp_path / "files", "--frauds", "2", expect=2)
    assert "'--frauds': Input should be less than or equal to 0.5" in printed
    assert not (tmp_path / "files").exists()
    printed = workspace.olist("release", "build", "--output", tmp_path, expect=1)
    assert f"{tmp_path}: it is a folder, not a file" in printed


def test_ctrl_c_says_how_to_go_on(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    with workspace.start("generate", folder, "--orders", "1000000") as command:
        wait_until(lambda: folder.exists() and any(folder.iterdir()), seconds=120)
        os.killpg(command.pid, signal.SIGINT)
        printed, said = command.communicate(timeout=60)
    assert said.endswith("interrupted; run the same command again to continue\n")
    assert printed == ""
    assert command.returncode == 130
    # What was written so far takes no name that a file of the result has.
    assert not list(folder.glob("*.csv"))


def test_ctrl_c_ends_a_statement_that_would_take_hours(
    workspace: Workspace, warehouse: Path
) -> None:
    sql = "select sum(a.range + b.range) from range(3000000) as a, range(3000000) as b"
    with workspace.start("query", "--working", sql) as command:
        process = psutil.Process(command.pid)
        wait_until(
            lambda: any(file.path == str(warehouse) for file in process.open_files()), seconds=120
        )
        # From there to the statement it is a hundredth of that.
        time.sleep(2)
        os.killpg(command.pid, signal.SIGINT)
        try:
            _, said = command.communicate(timeout=60)
        finally:
            command.kill()
    assert said.endswith("interrupted; run the same command again to continue\n")
    assert "Traceback" not in said
    assert command.returncode == 130


@pytest.mark.usefixtures("warehouse")
def test_a_reader_that_has_seen_enough_is_no_fault(workspace: Workspace) -> None:
    sql = "select range from range(300000)"
    with workspace.start("query", "-f", "csv", sql) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        assert command.stdout.readline() == '"range"\n'
        command.stdout.close()
        assert command.stderr.read() == ""
        assert command.wait(timeout=60) == 0
