"""The Power BI project is what its descriptions say, holds together, and passes Microsoft's checks.

What cannot run here: Power BI Desktop, the service, Analysis Services and their DAX.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from referencing import Registry, Resource

from olist_platform.dashboards.catalog import load_dashboards
from olist_platform.dashboards.contracts import Contract, read_contracts
from olist_platform.dashboards.dashboard_settings import StateReader
from olist_platform.environment import load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName
from olist_platform.powerbi.model_builder import REPORTED, model_parameters
from olist_platform.powerbi.project import project_files, write_project
from olist_workspace import ROOT
from powerbi_project import (
    Files,
    Model,
    fields,
    model_faults,
    read_model,
    report_faults,
    reports,
)
from tmdl_reader import TmdlError, read_tmdl

_SCHEMAS_VARIABLE = "OLIST_POWERBI_SCHEMAS"
_SCHEMA_HOST = "https://developer.microsoft.com/json-schemas/"
_PARSER = Path(__file__).with_name("power_query")
_MODEL = "olist.SemanticModel/definition"


@pytest.fixture(scope="module")
def files() -> Files:
    return project_files()


@pytest.fixture(scope="module")
def model(files: Files) -> Model:
    return read_model(files)


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return read_contracts()


def changed(files: Files, name: str, before: str, after: str) -> Files:
    text = files[name].decode()
    assert before in text
    return {**files, name: text.replace(before, after, 1).encode()}


# --- the project in the repository ---
def test_the_project_is_current(files: Files) -> None:
    folder = ROOT / "platform" / "powerbi"
    there = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".pbi" not in path.parts
    }
    different = sorted(name for name in there.keys() | files if there.get(name) != files.get(name))
    assert different == [], "run: olist dashboards powerbi"


def test_a_second_run_changes_nothing_and_what_is_gone_is_removed(
    tmp_path: Path, files: Files
) -> None:
    assert write_project(tmp_path) == (tmp_path, len(files))
    assert write_project(tmp_path) == (tmp_path, 0)
    leftover = tmp_path / "former.Report" / "definition" / "report.json"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("{}", encoding="utf-8")
    (tmp_path / "parameter.yml").write_text("changed", encoding="utf-8")
    # What Desktop keeps for itself is nobody else's.
    mine = tmp_path / "olist.SemanticModel" / ".pbi" / "localSettings.json"
    mine.parent.mkdir()
    mine.write_text("{}", encoding="utf-8")
    assert write_project(tmp_path) == (tmp_path, 2)
    assert not leftover.exists()
    assert mine.exists()
    assert write_project(tmp_path) == (tmp_path, 0)


# --- the structure ---
def test_the_model_holds_together(model: Model, contracts: dict[str, Contract]) -> None:
    assert list(model_faults(model, contracts)) == []
    assert len(model.tables) == 12
    assert len(model.measures()) > 60
    assert len(model.relationships) == 11


def test_the_reports_ask_for_what_the_model_has(files: Files, model: Model) -> None:
    found = reports(files)
    assert tuple(found) == tuple(sorted(REPORTED))
    for name, report in found.items():
        assert list(report_faults(name, report, model)) == []


def test_every_tile_is_a_visual_with_its_columns(files: Files, model: Model) -> None:
    found = reports(files)
    for board in load_dashboards():
        if board.name not in REPORTED:
            continue
        report = found[board.name]
        assert report["pages/pages.json"]["pageOrder"] == [page.name for page in board.pages]
        for page in board.pages:
            assert report[f"pages/{page.name}/page.json"]["displayName"] == page.title
            for tile in page.tiles:
                visual = report[f"pages/{page.name}/visuals/{tile.name}/visual.json"]
                wells = visual["visual"]["query"]["queryState"]
                labels = {
                    one["displayName"] for well in wells.values() for one in well["projections"]
                }
                # Flags are words in a chart's tooltip; heat maps have none.
                optional = {c.label for c in tile.columns if c.role == "detail"}
                assert {c.label for c in tile.columns} - optional <= labels, tile.name
                shown = {column for _, _, column in fields(wells)}
                tables = {table for table, _, _ in fields(wells)}
                assert tables == {tile.mart}
                leaned_on = " ".join(
                    model.tables[tile.mart].of_kind(kind)[name].expression or name
                    for _, kind, name in fields(wells)
                    if name in shown
                )
                for column in tile.columns:
                    if column.column and column.label not in optional:
                        assert re.search(rf"\b{column.column}\b", leaned_on), tile.name
                narrowed = {
                    one["field"]["Column"]["Property"]
                    for one in visual.get("filterConfig", {}).get("filters", [])
                }
                assert narrowed == set(tile.rows.where)


def test_measures_lean_on_one_column_and_compute_nothing(model: Model) -> None:
    known = re.compile(
        r"(?:SELECTEDVALUE|SUM|COALESCE|COUNT|COUNTROWS|DIVIDE|CALCULATE|MAX|MIN|ISBLANK|NOT|VAR|RETURN"
        r"|REMOVEFILTERS|KEEPFILTERS|IF|HASONEVALUE|TRUE|FALSE|IN)\b"
    )
    for name, measure in model.measures().items():
        words = re.findall(
            r"\b[A-Z]{2,}\b", re.sub(r"\[[^\]]*\]|\"[^\"]*\"", "", measure.expression)
        )
        assert [word for word in words if not known.match(word)] == [], name
        assert not re.search(r"[-+*/]", re.sub(r"\[[^\]]*\]", "", measure.expression)), name
        assert measure.description, name
        assert measure.properties["displayFolder"], name


def test_a_moment_says_that_it_is_utc(model: Model) -> None:
    respond_by = model.columns("mart_fraud_monitoring")["respond_by"]
    assert respond_by.properties["formatString"] == r"dd/mm/yyyy hh:nn \U\T\C"


def test_a_difference_of_shares_is_no_growth(model: Model) -> None:
    """A format's sections are for what is above 0, below, and 0."""
    points = r"+0.0%\ \p\o\i\n\t\s;-0.0%\ \p\o\i\n\t\s;0.0%\ \p\o\i\n\t\s"
    column = model.columns("mart_logistics_performance")["on_time_rate_delta"]
    measure = model.measures()["Logistics performance \u00b7 On time rate delta, chosen month"]
    assert column.properties["formatString"] == measure.properties["formatString"] == points
    growth = model.columns("mart_executive_kpis")["gmv_growth"]
    assert growth.properties["formatString"] == "+0.0%;-0.0%;0.0%"


def test_the_running_month_is_no_point_of_the_line_of_gmv(files: Files, model: Model) -> None:
    """The web draws it as a hollow point; Power BI's line would end in a fall that is none."""
    report = reports(files)["executive_performance"]
    visual = report["pages/outlook/visuals/gmv_forecast/visual.json"]
    shown = {name for _, kind, name in fields(visual) if kind == "measure"}
    assert "Financial performance \u00b7 GMV, months that have ended" in shown
    assert "Financial performance \u00b7 GMV" not in shown
    measure = model.measures()["Financial performance \u00b7 GMV, months that have ended"]
    assert " ".join(str(measure.expression).split()) == (
        "CALCULATE( CALCULATE(SELECTEDVALUE(mart_financial_performance[gmv]),"
        " KEEPFILTERS(NOT ISBLANK(mart_financial_performance[gmv]))),"
        " mart_financial_performance[is_complete] = TRUE() )"
    )


def test_no_measure_throws_away_the_filter_of_its_own_column(model: Model) -> None:
    """A filter of CALCULATE on a column takes the place of the one it has, unless it is kept.

    A card's month is filtered to the chosen month, and a cohort's months since its first order to
    the latest: without KEEPFILTERS every month is back, and SELECTEDVALUE of many is blank.
    """
    for name, measure in model.measures().items():
        expression = " ".join(str(measure.expression).split())
        plain = re.findall(r"CALCULATE\(SELECTEDVALUE\(([^)]+)\), (?!KEEPFILTERS)", expression)
        assert plain == [], name
    month = model.measures()["Executive KPIs \u00b7 Period start, chosen month"]
    start = "mart_executive_kpis[period_start]"
    assert " ".join(str(month.expression).split()) == (
        "VAR chosen = [Executive KPIs \u00b7 chosen month] RETURN CALCULATE("
        f" CALCULATE(SELECTEDVALUE({start}), KEEPFILTERS(NOT ISBLANK({start}))),"
        ' mart_executive_kpis[period_type] = "month", mart_executive_kpis[is_complete] = TRUE(),'
        f" {start} = chosen )"
    )


def test_a_total_of_cohorts_is_not_the_oldest_cohort(model: Model) -> None:
    """Each cohort's latest month is another one; of all together it is that of the oldest."""
    for column in ("Cohort size", "Months since first", "LTV to CAC", "Acquisition cost"):
        measure = model.measures()[
            f"Unit economics \u00b7 {column}, latest months since first"
        ].expression
        said = " ".join(str(measure).split())
        assert " RETURN IF(HASONEVALUE(mart_unit_economics[cohort_month]), CALCULATE(" in said


def test_amounts_of_more_than_four_places_are_not_rounded(
    model: Model, contracts: dict[str, Contract]
) -> None:
    """Power BI's decimal has four places: 0.149996 would be 0.15, and in the next bin."""
    assert contracts["mart_customer_strategy"].columns["clv_365d"].data_type == "decimal(18,6)"
    strategy = model.tables["mart_customer_strategy"]
    columns = strategy.of_kind("column")
    assert columns["clv_365d"].properties["dataType"] == "double"
    assert columns["gmv"].properties["dataType"] == "decimal"
    query = strategy.of_kind("partition")[strategy.name].expression
    assert '{"CLV_365D", type number}' in query
    assert '{"GMV", Currency.Type}' in query


def test_the_month_narrows_no_history(files: Files) -> None:
    """On the web a trend shows all months beside figures of the chosen one."""
    found = reports(files)
    untouched = {
        (report, page, one["source"], one["target"], one["type"])
        for report, held in found.items()
        for path, content in held.items()
        if path.endswith("page.json")
        for page in [path.split("/")[1]]
        for one in content.get("visualInteractions", [])
    }
    assert untouched == {
        ("executive_performance", "last_month", "slicer_period", "next_month", "NoFilter"),
        ("executive_performance", "markets", "slicer_period", "penetration_trend", "NoFilter"),
        ("executive_performance", "markets", "slicer_period", "market_strategies", "NoFilter"),
        (
            "operations_intelligence",
            "logistics",
            "slicer_period",
            "delivery_days_trend",
            "NoFilter",
        ),
        ("operations_intelligence", "payments", "slicer_period", "payment_shares", "NoFilter"),
    }


def test_a_chosen_month_is_shown_however_few_its_orders(model: Model) -> None:
    """The latest of enough orders; if none of those that are chosen has so many, the latest."""
    month, ended = "mart_executive_kpis[period_start]", "mart_executive_kpis[is_complete] = TRUE()"
    months = f'MAX({month}), mart_executive_kpis[period_type] = "month", {ended}'
    enough = "mart_executive_kpis[orders_placed] >= 100"
    chosen = model.measures()["Executive KPIs \u00b7 chosen month"]
    assert chosen.expression == (f"COALESCE(CALCULATE({months}, {enough}), CALCULATE({months}))")


def test_descriptions_are_dbts(model: Model, contracts: dict[str, Contract]) -> None:
    marts = set(model.tables) & set(contracts)
    assert marts == {name for name in model.tables if name.startswith("mart_")}
    for mart in marts:
        assert model.tables[mart].description == contracts[mart].description
        for name, column in model.columns(mart).items():
            if not column.expression:
                assert column.description == contracts[mart].columns[name].description


def test_no_personal_column_leaves_snowflake(
    files: Files, contracts: dict[str, Contract], model: Model
) -> None:
    personal = [
        (mart, name)
        for mart in set(model.tables) & set(contracts)
        for name, column in contracts[mart].columns.items()
        if column.is_personal
    ]
    assert ("mart_customer_strategy", "customer_unique_id") in personal
    for mart, name in personal:
        assert name.upper() not in files[f"{_MODEL}/tables/{mart}.tmdl"].decode()


def test_a_reader_of_states_sees_their_own(model: Model) -> None:
    role = model.roles["State reader"]
    assert role.properties["modelPermission"] == "read"
    permissions = role.of_kind("tablePermission")
    assert set(permissions) == {"State", "State readers"}
    assert "USERPRINCIPALNAME()" in permissions["State"].expression
    # The filter of State reaches every mart with a state of sellers, customers or orders.
    reached = {
        one.properties["fromColumn"].partition(".")[0]
        for one in model.relationships
        if one.properties["toColumn"] == "State.state"
    }
    with_state = {
        mart
        for mart in model.tables
        if {"state", "customer_state"} & set(model.columns(mart)) and mart.startswith("mart_")
    }
    assert reached == with_state
    assert "isHidden" in model.tables["State readers"].properties


def test_deployments_have_the_values_of_their_environment(files: Files) -> None:
    replacements = yaml.safe_load(files["parameter.yml"])["find_replace"]
    text = files[f"{_MODEL}/expressions.tmdl"].decode()
    for name, environment in (
        ("dev", load_environment(EnvironmentName.DEV)),
        ("prod", load_environment(EnvironmentName.PROD)),
    ):
        deployed = text
        for one in replacements:
            [found] = re.findall(one["find_value"], deployed)
            deployed = deployed.replace(found, one["replace_value"][name])
        values = {
            node.name: json.loads(node.expression.partition(" meta ")[0].replace('""', '\\"'))
            for node in read_tmdl(deployed.encode())
        }
        account = environment.warehouse.account_name  # type: ignore[union-attr]
        assert values["SnowflakeServer"] == (
            f"olist-{account.lower().replace('_', '-')}.snowflakecomputing.com"
        )
        assert values["SnowflakeWarehouse"] == f"OLIST_{name.upper()}_REPORT_WH"
        assert values["SnowflakeRole"] == f"FR__OLIST_{name.upper()}__REPORTER"
        assert values["SnowflakeDatabase"] == f"OLIST_{name.upper()}"
        power_bi = environment.dashboards.power_bi
        assert power_bi is not None
        listed = {(each["reader"], each["state"]) for each in json.loads(values["StateReaders"])}
        assert listed == {
            (one.reader, state) for one in power_bi.state_readers for state in one.states
        }
        # As the project lies here it reads dev.
        assert (deployed == text) == (name == "dev")


def test_a_reader_of_no_state_of_brazils_is_refused() -> None:
    """They would see empty reports, and nobody why."""
    environment = load_environment(EnvironmentName.PROD)
    power_bi = environment.dashboards.power_bi
    assert power_bi is not None
    reader = StateReader(reader="south@olist.example", states=("RS", "XX"))
    wrong = environment.model_copy(
        update={
            "dashboards": environment.dashboards.model_copy(
                update={"power_bi": power_bi.model_copy(update={"state_readers": (reader,)})}
            )
        }
    )
    with pytest.raises(OlistError, match=r"prod\.yaml: .*south@olist\.example reads XX, which is"):
        model_parameters(wrong)


@pytest.mark.parametrize(
    ("name", "before", "after", "fault"),
    [
        ("relationships", "mart_executive_kpis.period_start", "mart_executive_kpis.day", "nowhere"),
        ("relationships", "toColumn: State.state", "toColumn: Date.year", "is no key"),
        ("relationships", "toColumn: Date.date", "toColumn: State.state", "meets string"),
        ("model", "ref table State\n", "", "model.tmdl names the tables"),
        (
            "tables/mart_executive_kpis",
            "SELECTEDVALUE(mart_executive_kpis[aov])",
            "SELECTEDVALUE(mart_executive_kpis[basket])",
            "mart_executive_kpis[basket] is nowhere",
        ),
        ("tables/mart_executive_kpis", "VAR chosen = [", "VAR chosen = [Former ", "is no measure"),
        ("tables/mart_executive_kpis", "sourceColumn: AOV", "sourceColumn: BASKET", "dbt has no"),
        ("tables/mart_executive_kpis", '"AOV", ', "", "asks for"),
        (
            "tables/mart_executive_kpis",
            'Name = "MART_EXECUTIVE_KPIS"',
            'Name = "MART_KPIS"',
            "its query reads ['MART_KPIS']",
        ),
        ("tables/State", "mart_seller_management[STATE]", "mart_seller_management[UF]", "for UF"),
        ("roles/State reader", "'State readers'[reader]", "'State readers'[email]", "is nowhere"),
    ],
)
def test_what_leads_nowhere_is_found(
    files: Files, name: str, before: str, after: str, fault: str
) -> None:
    broken = read_model(changed(files, f"{_MODEL}/{name}.tmdl", before, after))
    assert any(fault in each for each in model_faults(broken, read_contracts()))


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("\tculture:", "    culture:", "indented wrongly"),
        ("\tculture:", "\t\tculture:", "indented wrongly"),
        ("model Model", "\ufeffmodel Model", "a byte order mark"),
        ("ref table State\n", "ref table State\r\n", "line ends"),
        ("ref table State\n", "see table State\n", "neither object nor property"),
        ("model Model\n", "/// of nothing\n\nmodel Model\n", "a description of nothing"),
    ],
)
def test_what_is_no_tmdl_is_refused(files: Files, before: str, after: str, fault: str) -> None:
    with pytest.raises(TmdlError, match=fault):
        read_model(changed(files, f"{_MODEL}/model.tmdl", before, after))


def test_a_field_that_the_model_lacks_is_found(files: Files, model: Model) -> None:
    path = "executive_performance.Report/definition/pages/service/visuals/review_trend/visual.json"
    broken = changed(files, path, "Avg review score", "Average review")
    report = reports(broken)["executive_performance"]
    assert any("the model has no measure" in each for each in report_faults("x", report, model))


# --- Microsoft's schemas ---
@pytest.fixture(scope="module")
def schemas() -> Callable[[str], Any]:
    folder = Path(os.environ.get(_SCHEMAS_VARIABLE, ROOT.parent / "shared" / "powerbi-schemas"))
    if not folder.is_dir():
        pytest.skip(f"Microsoft's schemas are not at {folder}; set {_SCHEMAS_VARIABLE} to them")

    @cache
    def read(address: str) -> Any:
        return json.loads((folder / address.removeprefix(_SCHEMA_HOST)).read_text("utf-8"))

    registry: Registry[Any] = Registry(
        retrieve=lambda uri: Resource.from_contents(read(uri))  # type: ignore[call-arg]
    )

    @cache
    def validator(address: str) -> Any:
        return jsonschema.Draft7Validator(read(address), registry=registry)

    return validator


def schema_faults(validator: Callable[[str], Any], content: Mapping[str, Any]) -> list[str]:
    found = validator(content["$schema"]).iter_errors(content)
    return [f"{'/'.join(map(str, each.absolute_path))}: {each.message[:200]}" for each in found]


def test_every_json_file_obeys_its_schema(files: Files, schemas: Callable[[str], Any]) -> None:
    checked = 0
    for name, content in files.items():
        if name.endswith((".json", ".pbip", ".pbir", ".pbism", ".platform")):
            held = json.loads(content)
            if "StaticResources" in name:
                continue
            assert schema_faults(schemas, held) == [], name
            checked += 1
    assert checked > 140


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("visual", "visualType"), None),
        (("position", "x"), "left"),
        (("visual", "query", "queryState", "Y", "projections", 0, "field"), {"Figure": {}}),
        (("filterConfig", "filters", 0, "type"), "Sometimes"),
        (("colour",), "red"),
    ],
)
def test_a_broken_visual_is_refused(
    files: Files, schemas: Callable[[str], Any], path: tuple[Any, ...], value: Any
) -> None:
    name = "executive_performance.Report/definition/pages/service/visuals/review_trend/visual.json"
    content = json.loads(files[name])
    assert schema_faults(schemas, content) == []
    *parents, last = path
    place = content
    for key in parents:
        place = place[key]
    place[last] = value
    assert schema_faults(schemas, content) != []


# --- Microsoft's Power Query parser ---
@pytest.fixture(scope="module")
def power_query() -> Callable[[Mapping[str, str]], dict[str, str | None]]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Power Query is not parsed: node and npm are not installed")
    # Beside what else is installed; never in the tree.
    place = ROOT / ".venv" / "power-query-parser"
    place.mkdir(parents=True, exist_ok=True)
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for path in _PARSER.iterdir():
            if path.is_file():
                shutil.copy(path, place)
        installed = place / "node_modules" / ".package-lock.json"
        wanted = (_PARSER / "package-lock.json").stat().st_mtime
        if not installed.exists() or installed.stat().st_mtime < wanted:
            install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(install, cwd=place, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"Power Query is not parsed: npm cannot install: {done.stderr[-300:]}")

    def parse(queries: Mapping[str, str]) -> dict[str, str | None]:
        done = subprocess.run(
            [node, "parse.mjs"],
            cwd=place,
            input=json.dumps(queries),
            capture_output=True,
            text=True,
            check=True,
        )
        found: dict[str, str | None] = json.loads(done.stdout)
        return found

    return parse


def test_every_query_is_power_query(
    model: Model, power_query: Callable[[Mapping[str, str]], dict[str, str | None]]
) -> None:
    queries = {
        **{
            name: table.of_kind("partition")[name].expression
            for name, table in model.tables.items()
        },
        **{name: node.expression for name, node in model.parameters.items()},
    }
    assert len(queries) == 17
    broken = queries["mart_executive_kpis"].replace("[Data]", "[Data", 1)
    found = power_query({**queries, "broken": broken})
    assert found.pop("broken") is not None
    assert found == dict.fromkeys(queries)
