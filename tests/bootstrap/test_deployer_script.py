"""The deployer's SQL, by value; and the account it is run in."""

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from olist_platform.access_model import DEPLOYER_ACCOUNT_PRIVILEGES
from olist_platform.bootstrap.cloud_side import CloudSide
from olist_platform.bootstrap.deployer_script import as_script, deployer_statements
from olist_platform.bootstrap.snowflake_administration import run_in_account, run_with_connection
from olist_platform.bootstrap.stack_file import PublicKeys
from olist_platform.errors import OlistError

ROLE, USER = "FR__OLIST_DEV__DEPLOYER", "SVC__OLIST_DEV__DEPLOYER"


def test_the_whole_script(side: CloudSide) -> None:
    assert as_script(side, deployer_statements(side, PublicKeys("AAA"))) == (
        (Path(__file__).parent / "deployer.sql").read_text()
    )


def test_it_is_sql_that_grants_what_the_access_model_says(side: CloudSide) -> None:
    script = as_script(side, deployer_statements(side, PublicKeys("AAA", "BBB")))
    parsed = sqlglot.parse(script, dialect="snowflake")
    assert len(parsed) == script.count(";\n")
    granted = [
        grant.args["privileges"][0].sql("snowflake")
        for grant in parsed
        if isinstance(grant, exp.Grant) and grant.args["securable"].name.lower() == "account"
    ]
    assert granted == list(DEPLOYER_ACCOUNT_PRIVILEGES)
    grantees = {
        principal.this.name
        for grant in parsed
        if isinstance(grant, exp.Grant)
        for principal in grant.args["principals"]
    }
    assert grantees == {ROLE}
    assert [use.sql("snowflake", comments=False) for use in parsed if isinstance(use, exp.Use)] == [
        "USE ROLE ACCOUNTADMIN"
    ]
    [warehouse] = [create for create in parsed if isinstance(create, exp.Create)]
    assert warehouse.kind == "WAREHOUSE"
    assert warehouse.args["exists"] is True


def test_nothing_is_made_twice_and_nothing_replaced(side: CloudSide) -> None:
    for statement in deployer_statements(side, PublicKeys("AAA")):
        assert not statement.startswith("create") or " if not exists " in statement
        assert "replace" not in statement
        assert "drop" not in statement


def test_a_rotation_has_both_keys(side: CloudSide) -> None:
    both = deployer_statements(side, PublicKeys("AAA", "BBB"))
    one = deployer_statements(side, PublicKeys("BBB"))
    assert f"alter user {USER} set rsa_public_key_2 = 'BBB'" in both
    assert f"alter user {USER} unset rsa_public_key_2" in one
    assert any("rsa_public_key = 'BBB'" in statement for statement in one)


class Session:
    """An account that records what it is told; no Snowflake account is at hand."""

    def __init__(self, organization: str, account: str) -> None:
        self._account = (organization, account)
        self.told: list[str] = []

    def execute(self, command: str) -> None:
        self.told.append(command)

    def fetchone(self) -> tuple[str, str]:
        return self._account


def test_statements_run_in_order_in_the_environments_account(side: CloudSide) -> None:
    session = Session("OLIST", "ANALYTICS_DEV")
    run_in_account(side, session, ("use role A", "grant x"))
    assert session.told[1:] == ["use role A", "grant x"]


def test_another_snowflake_account_is_told_nothing(side: CloudSide) -> None:
    session = Session("OLIST", "ANALYTICS_PROD")
    with pytest.raises(OlistError, match=r"leads to OLIST-ANALYTICS_PROD; environments/dev\.yaml"):
        run_in_account(side, session, ("use role A",))
    assert len(session.told) == 1


def test_a_connection_that_there_is_not(
    side: CloudSide, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SNOWFLAKE_HOME", str(tmp_path))
    with pytest.raises(OlistError, match="Snowflake connection 'nobody'") as caught:
        run_with_connection(side, "nobody", ("use role A",))
    assert "connections.toml" in caught.value.mend
