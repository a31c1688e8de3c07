"""What each role may do in the end: the golden matrix, and the sentences it has to keep."""

import re

from access_matrix import MATRIX, GrantedAccess, matrix_text
from olist_platform.access_model import FUNCTIONAL_ROLES, SERVICE_ROLES
from olist_platform.infrastructure_plan.captured_resources import CapturedProgram
from olist_platform.naming import EnvironmentName, Layer, Names, Workload
from olist_platform.source_catalog import CATALOG
from olist_workspace import ROOT

DEV, PROD = Names(EnvironmentName.DEV), Names(EnvironmentName.PROD)
ROLES = [role.name for role in FUNCTIONAL_ROLES]
UNMASKED = DEV.account_access_role("pii__unmasked")


def test_the_matrix_is_as_accepted(dev: CapturedProgram) -> None:
    assert matrix_text(dev, DEV, ROLES) == MATRIX.read_text(encoding="utf-8"), (
        "who may do what has changed: read the difference, then accept it with `make baseline`"
    )


def test_prod_grants_as_dev_does(dev: CapturedProgram, prod: CapturedProgram) -> None:
    assert matrix_text(prod, PROD, ROLES) == matrix_text(dev, DEV, ROLES).replace(
        DEV.database, PROD.database
    )


def test_reporters_read_the_serving_schema_and_nothing_else(dev: CapturedProgram) -> None:
    assert GrantedAccess(dev).privileges_of(DEV.functional_role("reporter")) == {
        "database OLIST_DEV": {"USAGE"},
        "schema OLIST_DEV.SERVING": {"USAGE"},
        "all TABLES in OLIST_DEV.SERVING": {"SELECT"},
        "future TABLES in OLIST_DEV.SERVING": {"SELECT"},
        "all VIEWS in OLIST_DEV.SERVING": {"SELECT"},
        "future VIEWS in OLIST_DEV.SERVING": {"SELECT"},
        "warehouse OLIST_DEV_REPORT_WH": {"USAGE"},
    }


def test_the_transformer_can_build_publish_and_monitor(dev: CapturedProgram) -> None:
    allowed = GrantedAccess(dev).privileges_of(DEV.functional_role("transformer"))
    for layer in Layer:
        schema = allowed[f"schema OLIST_DEV.{layer.upper()}"]
        assert ("CREATE TABLE" in schema) == (layer is not Layer.RAW)
        warehouse = DEV.layer_warehouse(layer)
        if layer is not Layer.RAW:
            assert "USAGE" in allowed[f"warehouse {warehouse}"]
    assert f"warehouse {DEV.warehouse(Workload.LOAD)}" not in allowed
    assert allowed["all TABLES in OLIST_DEV.RAW"] == {"SELECT"}


def test_the_transformers_sessions_use_the_warehouses_and_pipes_that_they_may(
    dev: CapturedProgram,
) -> None:
    """Every session of the platform's own, `open_snowflake`, is the transformer's."""
    sources = {
        path: path.read_text(encoding="utf-8")
        for path in (ROOT / "platform" / "src").rglob("*.py")
        if path.name != "snowflake_connection.py"
    }
    opened = {path: source for path, source in sources.items() if "open_snowflake(" in source}
    allowed = GrantedAccess(dev).privileges_of(DEV.functional_role("transformer"))
    workloads: set[str] = set()
    for path, source in opened.items():
        named = re.findall(r"open_snowflake\(\w+, Workload\.(\w+)", source)
        assert len(named) == source.count("open_snowflake("), path
        workloads |= set(named)
    assert workloads
    for workload in workloads:
        assert "USAGE" in allowed[f"warehouse {DEV.warehouse(Workload[workload])}"]
    assert any("system$pipe_status" in source for source in opened.values())
    assert "MONITOR" in allowed["all PIPES in OLIST_DEV.RAW"]
    assert "MONITOR" in allowed["future PIPES in OLIST_DEV.RAW"]


# By Snowflake's documentation ("SNOWFLAKE database roles"): one of the roles opens the view.
_OPENED_BY = {
    "warehouse_metering_history": {"USAGE_VIEWER"},
    "query_attribution_history": {"USAGE_VIEWER", "GOVERNANCE_VIEWER"},
    "query_history": {"GOVERNANCE_VIEWER"},
}


def test_dbts_session_may_read_every_view_of_account_usage_that_is_asked(
    dev: CapturedProgram,
) -> None:
    asked: set[str] = set()
    for folder, kind in ((ROOT / "platform" / "src", "*.py"), (ROOT / "dbt" / "macros", "*.sql")):
        for path in folder.rglob(kind):
            source = path.read_text(encoding="utf-8")
            asked |= set(
                re.findall(r"(?:_schema\(\)|account_usage_schema\"\) \}\})[}.]+(\w+)", source)
            )
    assert asked == _OPENED_BY.keys()
    held = GrantedAccess(dev).roles_of(DEV.functional_role("transformer"))
    for view, roles in _OPENED_BY.items():
        assert held & {f"SNOWFLAKE.{role}" for role in roles}, view


def test_dbt_and_the_privacy_officer_alone_see_through_the_mask(dev: CapturedProgram) -> None:
    access = GrantedAccess(dev)
    seeing = {role for role in ROLES if UNMASKED in access.roles_of(DEV.functional_role(role))}
    assert seeing == {"transformer", "pii_reader"}


def test_roles_hold_roles_and_access_roles_hold_privileges(dev: CapturedProgram) -> None:
    access = GrantedAccess(dev)
    functional = {DEV.functional_role(role) for role in ROLES}
    assert functional & access.direct.keys() == set()
    assert all(
        held.isdisjoint(functional)
        for role, held in access.granted_roles.items()
        if role != "SYSADMIN"
    )
    assert access.granted_roles["SYSADMIN"] == functional
    every_access_role = set(access.direct) | {UNMASKED}
    assert every_access_role <= access.roles_of("SYSADMIN")


def test_each_service_user_holds_its_own_role_only(dev: CapturedProgram) -> None:
    assert GrantedAccess(dev).users == {
        DEV.service_user(role.name): {DEV.functional_role(role.name)} for role in SERVICE_ROLES
    }


def test_what_a_grant_is_on_exists_first(dev: CapturedProgram) -> None:
    tables = {
        table.urn
        for table in dev.of_type("snowflake:index/table:Table")
        if table.name.startswith("raw-")
    }
    assert len(tables) == len(CATALOG)
    grant = dev.named(
        "snowflake:index/grantPrivilegesToDatabaseRole:GrantPrivilegesToDatabaseRole",
        "raw__read-raw-tables-all",
    )
    future = dev.named(grant.type, "raw__read-raw-tables-future")
    assert tables <= set(grant.dependencies)
    assert future.urn in grant.dependencies
    assert tables.isdisjoint(future.dependencies)
