"""Key pairs: the first, a rotation from its begin to its end, and every way to get it wrong."""

import stat
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pydantic import SecretStr
from typer.testing import CliRunner

from olist_platform.bootstrap.key_ring import USERS_WITH_KEYS, KeyRing, KeyState
from olist_platform.bootstrap.private_keys import new_private_key, public_line
from olist_platform.bootstrap.stack_file import PublicKeys
from olist_platform.cli.main import app
from olist_platform.errors import OlistError
from olist_workspace import Workspace

Client = Callable[[str], Any]

LOADER_SECRET = "olist/dev/snowflake/loader"


@pytest.fixture
def secrets(client: Client) -> Any:
    """Secrets Manager, with the loader's secret as the deployment makes it: without a value."""
    manager = client("secretsmanager")
    manager.create_secret(Name=LOADER_SECRET)
    return manager


def stored_key(secrets: Any) -> str:
    return public_line(
        SecretStr(secrets.get_secret_value(SecretId=LOADER_SECRET)["SecretString"]), "the secret"
    )


def test_a_public_line_is_what_snowflake_takes() -> None:
    private_key = new_private_key()
    line = public_line(private_key, "here")
    key = serialization.load_pem_private_key(private_key.get_secret_value().encode(), None)
    wrapped = f"-----BEGIN PUBLIC KEY-----\n{line}\n-----END PUBLIC KEY-----\n".encode()
    assert serialization.load_pem_public_key(wrapped) == key.public_key()
    assert isinstance(key, RSAPrivateKey)
    assert key.key_size == 2048
    assert private_key.get_secret_value().startswith("-----BEGIN PRIVATE KEY-----\n")
    assert private_key.get_secret_value() not in repr(private_key)


def test_everybody_with_a_key_is_the_deployer_and_the_service_users() -> None:
    assert USERS_WITH_KEYS == ("deployer", "loader", "transformer", "reporter", "orchestrator")


def test_a_rotation_from_the_first_pair_to_its_end(ring: KeyRing, secrets: Any) -> None:
    committed = ring.stack.keys_of("loader")
    assert ring.of("loader").state is KeyState.NOT_HELD
    ring.make_first("loader")
    first = ring.stack.keys_of("loader")
    path = ring.files.path("loader")
    assert first.current not in {None, committed.current}
    assert ring.of("loader").state is KeyState.IN_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["loader.pem"]

    assert ring.store("loader") is True
    assert ring.store("loader") is False
    assert not path.exists()
    assert stored_key(secrets) == first.current
    assert ring.of("loader").state is KeyState.IN_SECRET

    ring.rotate("loader")
    rotating = ring.stack.keys_of("loader")
    ring.rotate("loader")
    assert ring.stack.keys_of("loader") == rotating
    assert rotating.current == first.current
    assert rotating.following not in {None, first.current}
    assert ring.of("loader").state is KeyState.ROTATING
    assert stored_key(secrets) == first.current, "programs keep theirs until the new one is valid"

    assert ring.store("loader") is True
    assert stored_key(secrets) == rotating.following
    assert ring.of("loader").state is KeyState.STORED

    ring.finish("loader")
    assert ring.stack.keys_of("loader") == PublicKeys(rotating.following)
    assert ring.of("loader").state is KeyState.IN_SECRET


@pytest.mark.usefixtures("secrets")
def test_a_run_that_ended_between_file_and_stack_file_is_ended(ring: KeyRing) -> None:
    public = ring.files.make("loader")
    assert ring.of("loader").state is KeyState.NOT_HELD
    with pytest.raises(OlistError, match="does not know its public half"):
        ring.store("loader")
    ring.make_first("loader")
    assert ring.stack.keys_of("loader").current == public
    ring.store("loader")
    following = ring.files.make("loader")
    ring.rotate("loader")
    assert ring.stack.keys_of("loader") == PublicKeys(public, following)


def test_a_key_is_never_written_over_another(ring: KeyRing) -> None:
    first = ring.files.make("loader")
    with pytest.raises(OlistError, match=r"loader\.pem: another key is there"):
        ring.files.make("loader")
    assert ring.files.public_line("loader") == first
    assert [file.name for file in ring.files.path("loader").parent.iterdir()] == ["loader.pem"]


@pytest.mark.usefixtures("secrets")
def test_steps_out_of_order_are_refused_and_change_nothing(ring: KeyRing) -> None:
    ring.make_first("loader")
    before = ring.of("loader")
    with pytest.raises(OlistError, match="current key of 'loader' is not stored") as caught:
        ring.rotate("loader")
    assert caught.value.mend == "first: olist keys store dev"
    with pytest.raises(OlistError, match="no rotation is under way"):
        ring.finish("loader")
    assert ring.of("loader") == before
    ring.store("loader")
    ring.rotate("loader")
    with pytest.raises(OlistError, match="does not hold the following key"):
        ring.finish("loader")
    ring.store("loader")
    with pytest.raises(OlistError, match="the rotation of 'loader' has not ended") as caught:
        ring.rotate("loader")
    assert caught.value.mend == "end it with: olist keys finish dev loader"


def test_before_the_first_deployment_there_is_no_secret(ring: KeyRing) -> None:
    ring.make_first("loader")
    with pytest.raises(OlistError, match=f"{LOADER_SECRET}: there is no such secret") as caught:
        ring.store("loader")
    assert "pulumi up" in caught.value.mend
    assert ring.of("loader").state is KeyState.IN_FILE


def test_an_old_stack_file_replaces_no_key(ring: KeyRing, secrets: Any) -> None:
    key = new_private_key()
    secrets.put_secret_value(SecretId=LOADER_SECRET, SecretString=key.get_secret_value())
    before = ring.stack.path.read_bytes()
    assert ring.of("loader").state is KeyState.OUT_OF_STEP
    for action in (ring.has_first, ring.rotate):
        with pytest.raises(OlistError, match=r"holds a key that .* does not know"):
            action("loader")
    assert ring.stack.path.read_bytes() == before
    assert not ring.files.path("loader").exists()


def test_what_is_no_key_and_who_has_none(ring: KeyRing) -> None:
    path = ring.files.path("loader")
    path.parent.mkdir(parents=True)
    path.write_text("not a key")
    with pytest.raises(OlistError, match=r"loader\.pem: not an unencrypted private key in PEM"):
        ring.of("loader")
    with pytest.raises(OlistError, match="no service user holds the role 'analyst'") as caught:
        ring.of("analyst")
    assert caught.value.mend.startswith("use one of: deployer, loader,")


def test_the_commands_print_no_private_key(home: Workspace, client: Client) -> None:
    def olist(*arguments: str) -> str:
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    printed = olist("bootstrap", "dev")
    assert "dry run: 17 steps to do; do them with --apply" in printed
    printed += olist("bootstrap", "dev", "--apply")
    assert "pulumi login 's3://olist-dev-pulumi-state-123456789012?region=sa-east-1'" in printed
    keys = {path.stem: path.read_text() for path in (home.home / "data/dev/keys").iterdir()}
    assert sorted(keys) == sorted(USERS_WITH_KEYS)
    with pytest.raises(OlistError, match="there is no such secret yet"):
        olist("keys", "store", "dev")
    manager = client("secretsmanager")
    for role in USERS_WITH_KEYS[1:]:
        manager.create_secret(Name=f"olist/dev/snowflake/{role}")
    printed += olist("keys", "store", "dev")
    printed += olist("keys", "rotate", "dev", "loader")
    printed += olist("keys", "store", "dev")
    printed += olist("keys", "finish", "dev", "loader")
    printed += olist("keys", "list", "dev")
    assert "SVC__OLIST_DEV__LOADER" in printed
    assert list((home.home / "data/dev/keys").iterdir()) == []
    assert "PRIVATE KEY" not in printed
    for text in keys.values():
        for line in text.splitlines()[1:-1]:
            assert line not in printed
    deployer = manager.get_secret_value(SecretId="olist/dev/snowflake/deployer")["SecretString"]
    script = (home.home / "data/dev/deployer.sql").read_text()
    assert f"rsa_public_key = '{public_line(SecretStr(deployer), 'it')}'" in script
    assert "PRIVATE" not in script
