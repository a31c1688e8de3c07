"""Everything that has to exist before an environment's first deployment, as steps."""

from pathlib import Path

from olist_platform.access_model import DEPLOYER_ROLE
from olist_platform.bootstrap.cloud_side import AwsAccount, CloudSide
from olist_platform.bootstrap.deployer_script import as_script, deployer_statements
from olist_platform.bootstrap.key_ring import USERS_WITH_KEYS, KeyRing
from olist_platform.bootstrap.pulumi_state import StateBucket, StateKey
from olist_platform.bootstrap.steps import Step
from olist_platform.errors import os_errors_explained
from olist_platform.repository import state_folder


class EnvironmentBootstrap:
    """The bootstrap of one environment.

    Attributes:
        side: The environment's cloud side.
        script_path: The SQL script of the deployer.
    """

    def __init__(self, side: CloudSide) -> None:
        self.side = side
        self._account = AwsAccount(side)
        self._ring = KeyRing(side, self._account)
        self._state_key = StateKey(side, self._account)
        self.script_path: Path = state_folder(side.names.environment) / "deployer.sql"

    def steps(self) -> tuple[Step, ...]:
        """Return all steps, in order."""
        provider = self.side.names.state_secrets_provider(self.side.landing.region)
        stack = self._ring.stack
        return (
            *self._state_key.steps(),
            *StateBucket(self.side, self._account, self._state_key).steps(),
            Step(
                f"{stack.path.name}: secretsprovider",
                provider,
                lambda: stack.secrets_provider == provider,
                lambda: stack.set_secrets_provider(provider),
            ),
            Step(
                f"secret {self._ring.secrets.name(DEPLOYER_ROLE)}",
                "there",
                lambda: self._ring.secrets.exists(DEPLOYER_ROLE),
                self._make_deployer_secret,
            ),
            *(self._first_pair(role) for role in USERS_WITH_KEYS),
            Step(str(self.script_path), "the deployer's SQL", self._is_written, self._write),
        )

    def statements(self) -> tuple[str, ...]:
        """Return the deployer's SQL; before its first key pair, with `None` as the key."""
        return deployer_statements(self.side, self._ring.stack.keys_of(DEPLOYER_ROLE))

    def _first_pair(self, role: str) -> Step:
        return Step(
            f"key pair of {self.side.names.service_user(role)}",
            f"held by {self._ring.files.path(role).name} or by its secret",
            lambda: self._ring.has_first(role),
            lambda: self._ring.make_first(role),
        )

    def _make_deployer_secret(self) -> None:
        self._ring.secrets.make(
            DEPLOYER_ROLE,
            self._state_key.arn() or "",
            f"Private key of {self.side.names.service_user(DEPLOYER_ROLE)}",
        )

    def _script(self) -> str:
        return as_script(self.side, self.statements())

    def _is_written(self) -> bool:
        path = self.script_path
        return path.exists() and path.read_text(encoding="utf-8") == self._script()

    def _write(self) -> None:
        with os_errors_explained(self.script_path):
            self.script_path.parent.mkdir(parents=True, exist_ok=True)
            self.script_path.write_text(self._script(), encoding="utf-8")
