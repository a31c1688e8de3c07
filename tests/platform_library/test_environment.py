"""The environment model: complete files load, anything missing fails with file and key."""

import shutil
from pathlib import Path

import pytest
import yaml

from olist_platform.environment import environments_folder, load_environment
from olist_platform.errors import OlistError
from olist_platform.naming import EnvironmentName, Workload


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
    complete = path.read_text(encoding="utf-8")
    keys = _leaf_keys(yaml.safe_load(complete))
    assert "warehouse.threads" in keys
    for key in keys:
        content = yaml.safe_load(complete)
        *parents, last = key.split(".")
        holder = content
        for parent in parents:
            holder = holder[parent]
        del holder[last]
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
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
