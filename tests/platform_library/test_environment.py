"""The environment model: complete files load, anything missing fails with file and key."""

import shutil
from copy import deepcopy
from pathlib import Path

import pytest

from edited_files import set_key
from olist_platform.environment import environments_folder, load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName, Workload
from yaml_files import read_yaml, write_yaml


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "environments"
    shutil.copytree(environments_folder(), copy)
    return copy


def _leaf_keys(content: dict[str, object], prefix: str = "") -> list[str]:
    keys: list[str] = []
    for key, value in content.items():
        path = f"{prefix}{key}"
        keys.append(path)
        if isinstance(value, dict):
            keys += _leaf_keys(value, f"{path}.")
    return keys


@pytest.mark.parametrize("name", list(EnvironmentName))
def test_every_key_is_required_and_named_when_missing(folder: Path, name: EnvironmentName) -> None:
    path = folder / f"{name}.yaml"
    complete = read_yaml(path)
    keys = _leaf_keys(complete)
    assert "warehouse.threads" in keys
    for key in keys:
        content = deepcopy(complete)
        *parents, last = key.split(".")
        holder = content
        for parent in parents:
            holder = holder[parent]
        del holder[last]
        write_yaml(path, content)
        with pytest.raises(OlistError) as caught:
            load_environment(name, folder)
        assert str(path) in caught.value.message
        # The key that tells a union's variant is named in Pydantic's own words.
        assert last in caught.value.message, key


def test_an_unknown_key_is_refused_by_name(folder: Path) -> None:
    path = folder / "prod.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "colour: blue\n", encoding="utf-8")
    with pytest.raises(OlistError, match="key 'colour' is unknown"):
        load_environment(EnvironmentName.PROD, folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "dev.yaml").unlink()
    with pytest.raises(OlistError, match=r"dev\.yaml: it does not exist"):
        load_environment(EnvironmentName.DEV, folder)


def test_a_file_under_another_name_is_refused(folder: Path) -> None:
    shutil.copy(folder / "dev.yaml", folder / "prod.yaml")
    with pytest.raises(OlistError, match="key 'name' says 'dev', the file's name says 'prod'"):
        load_environment(EnvironmentName.PROD, folder)


def test_broken_yaml_names_the_file(folder: Path) -> None:
    (folder / "dev.yaml").write_text("name: [dev", encoding="utf-8")
    with pytest.raises(OlistError, match=r"dev\.yaml: not valid YAML"):
        load_environment(EnvironmentName.DEV, folder)


def test_a_file_that_is_no_utf8_names_the_line(folder: Path) -> None:
    path = folder / "dev.yaml"
    former = path.read_text(encoding="utf-8")
    path.write_bytes(b"# of S\xc3\xa3o Paulo\n# of S\xe3o Paulo\n" + former.encode())
    with pytest.raises(OlistError) as raised:
        load_environment(EnvironmentName.DEV, folder)
    assert raised.value.message == f"{path}: line 2 is no text in UTF-8: byte 0xe3"
    assert raised.value.mend == "save the file as UTF-8"


@pytest.mark.parametrize("key", ["warehouse.folder", "landing.folder"])
def test_an_empty_folder_is_not_the_checkout(folder: Path, key: str) -> None:
    set_key(folder / "local.yaml", key, "")
    with pytest.raises(OlistError, match=rf"key '{key}': .*it names no folder of its own"):
        load_environment(EnvironmentName.LOCAL, folder)


def test_a_key_that_stands_twice_is_named_with_its_line(folder: Path) -> None:
    path = folder / "prod.yaml"
    text = path.read_text(encoding="utf-8").replace(
        "  threads: 8\n", "  threads: 8\n  threads: 2\n"
    )
    path.write_text(text, encoding="utf-8")
    line = text.splitlines().index("  threads: 2") + 1
    with pytest.raises(OlistError, match=rf"prod\.yaml: .*line {line}: the key 'threads' stands"):
        load_environment(EnvironmentName.PROD, folder)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "airflow.schedule",
            "0 25 * * *",
            r"key 'airflow\.schedule': .*'0 25 \* \* \*' is no cron",
        ),
        ("monitoring.schedule", "hourly", r"key 'monitoring\.schedule': .*'hourly' is no cron"),
        ("landing.region", "sao-paulo", r"key '\S*region'"),
        ("cloud.monthly_budget_usd", float("inf"), r"key 'cloud\.monthly_budget_usd'"),
        ("cloud.monthly_budget_usd", True, r"key 'cloud': .*'monthly_budget_usd' is a number"),
    ],
)
def test_a_value_that_only_production_would_refuse_is_named(
    folder: Path, key: str, value: object, message: str
) -> None:
    set_key(folder / "prod.yaml", key, value)
    with pytest.raises(OlistError, match=message):
        load_environment(EnvironmentName.PROD, folder)


def test_names_of_an_environment() -> None:
    names = load_environment(EnvironmentName.PROD).names
    assert names.database == "OLIST_PROD"
    assert names.warehouse(Workload.TRANSFORM) == "OLIST_PROD_TRANSFORM_WH"
    assert names.landing_bucket("222222222222") == "olist-prod-landing-222222222222"


def test_the_secret_is_read_from_its_variable_and_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warehouse = load_environment(EnvironmentName.PROD).warehouse
    assert warehouse.engine == "snowflake"
    monkeypatch.delenv("OLIST_SNOWFLAKE_PRIVATE_KEY", raising=False)
    with pytest.raises(OlistError, match="OLIST_SNOWFLAKE_PRIVATE_KEY is not set"):
        warehouse.private_key.read()
    monkeypatch.setenv("OLIST_SNOWFLAKE_PRIVATE_KEY", "hush")
    assert warehouse.private_key.read().get_secret_value() == "hush"
    assert "hush" not in repr(warehouse.private_key.read())


def test_duckdb_has_no_cloud_side_and_snowflake_must_have_one(folder: Path) -> None:
    assert load_environment(EnvironmentName.LOCAL, folder).cloud is None
    dev = read_yaml(folder / "dev.yaml")
    local = folder / "local.yaml"
    content = read_yaml(local)
    write_yaml(local, content | {"cloud": dev["cloud"]})
    with pytest.raises(OlistError, match="key 'cloud' is unknown: there is no cloud side"):
        load_environment(EnvironmentName.LOCAL, folder)
    del dev["cloud"]
    write_yaml(folder / "dev.yaml", dev)
    with pytest.raises(OlistError, match="key 'cloud' is missing"):
        load_environment(EnvironmentName.DEV, folder)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("snowflake.warehouses.load.size", "HUGE", r"cloud\.snowflake\.warehouses\.load\.size"),
        ("snowflake.warehouses.report.min_clusters", 4, "min_clusters is more than max_clusters"),
        ("snowflake.edition", "standard", r"cloud\.snowflake\.edition"),
        ("snowflake.allowed_networks", ["2001:db8::/32"], "take no IPv6 network"),
        ("snowflake.allowed_networks", ["192.0.2.1/24"], r"cloud\.snowflake\.allowed_networks"),
        ("aws.landing_archive_days", 9999, "landing_archive_days is not less than"),
        ("aws.slack", {"workspace_id": "olist"}, r"cloud\.aws\.slack\.workspace_id"),
        ("alert_emails", [], r"cloud\.alert_emails"),
        ("alert_emails", ["a@olist.example"] * 2, "'alert_emails' names a@olist.example twice"),
        ("github.repository", "olist", r"cloud\.github\.repository"),
    ],
)
def test_a_wrong_cloud_setting_is_named(
    folder: Path, key: str, value: object, message: str
) -> None:
    set_key(folder / "prod.yaml", f"cloud.{key}", value)
    with pytest.raises(OlistError, match=message):
        load_environment(EnvironmentName.PROD, folder)


def test_what_an_account_has_once_has_one_owner() -> None:
    clouds = [
        environment
        for environment in map(load_environment, EnvironmentName)
        if environment.cloud is not None
    ]
    owners: dict[str, list[bool]] = {}
    for environment in clouds:
        assert environment.cloud is not None
        assert environment.landing.kind == "s3"
        assert environment.warehouse.engine == "snowflake"
        aws, snowflake = environment.landing.aws_account_id, environment.warehouse.account
        owners.setdefault(aws, []).append(environment.cloud.aws.owns_account_objects)
        owners.setdefault(snowflake, []).append(environment.cloud.snowflake.owns_account_objects)
    assert {account: sum(flags) for account, flags in owners.items()} == dict.fromkeys(owners, 1)


def test_the_quotas_fit_the_budget() -> None:
    for name in (EnvironmentName.DEV, EnvironmentName.PROD):
        cloud = load_environment(name).cloud
        assert cloud is not None
        quotas = [warehouse.monthly_credits for warehouse in cloud.snowflake.warehouses.values()]
        assert sum(quotas) <= cloud.snowflake.account_monthly_credits
        # Monitors cut running statements off at 110 % of the quota.
        ceiling = sum(quotas) * 1.1 * cloud.snowflake.credit_price_usd
        assert ceiling + cloud.aws.monthly_budget_usd <= cloud.monthly_budget_usd


def test_every_key_of_the_cloud_side_is_explained() -> None:
    readme = (environments_folder() / "README.md").read_text(encoding="utf-8")
    for name in (EnvironmentName.DEV, EnvironmentName.PROD):
        cloud = read_yaml(environments_folder() / f"{name}.yaml")["cloud"]
        leaves = {key.rpartition(".")[2] for key in _leaf_keys(cloud)}
        # These hold keys and are part of the name of each of them.
        holders = {*Workload, "tags", "snowflake", "warehouses", "aws", "github"}
        assert {key for key in leaves - holders if f"{key}`" not in readme} == {"slack"}
        assert "`slack: null`" in readme
