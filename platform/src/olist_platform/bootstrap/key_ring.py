"""The key pairs of an environment's users: their first, and how one takes another's place.

A public key is in the stack file, its private half in a file of this machine until it is stored,
and then in Secrets Manager. Rotation: make the following pair, deploy (both are valid), store (the
programs take the new one at their next start), finish, deploy (the old one is no longer valid).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from olist_platform.access_model import DEPLOYER_ROLE, SERVICE_ROLES
from olist_platform.bootstrap.cloud_side import AwsAccount, CloudSide
from olist_platform.bootstrap.private_keys import KeyFolder, KeySecrets
from olist_platform.bootstrap.stack_file import PublicKeys, StackFile
from olist_platform.errors import OlistError

USERS_WITH_KEYS = (DEPLOYER_ROLE, *(role.name for role in SERVICE_ROLES))


class KeyState(StrEnum):
    """Where a user's key pair is on its way."""

    NOT_HELD = "nobody's: no private half of it here or in the secret"
    IN_FILE = "private half on this machine"
    IN_SECRET = "private half in the secret"  # noqa: S105 - a sentence
    ROTATING = "following pair made: deploy, then store"
    STORED = "following pair stored: restart its programs, then finish"
    OUT_OF_STEP = "the secret holds a key that the stack file does not know"


@dataclass(frozen=True, slots=True)
class UserKey:
    """A user's key pair.

    Attributes:
        role: The user's role.
        user: Snowflake's name of the user.
        public: The public keys in the stack file.
        in_file: Public half of the private key on this machine, or None.
        in_secret: Public half of the private key in the secret, or None.
    """

    role: str
    user: str
    public: PublicKeys
    in_file: str | None
    in_secret: str | None

    @property
    def state(self) -> KeyState:
        """Where the pair is on its way."""
        if self.in_secret and self.in_secret not in self.public:
            return KeyState.OUT_OF_STEP
        # A file whose public half was not written yet is a pair that was made half.
        if not self.in_secret and self.in_file not in self.public:
            return KeyState.NOT_HELD
        if self.public.following:
            stored = self.in_secret == self.public.following
            return KeyState.STORED if stored else KeyState.ROTATING
        return KeyState.IN_SECRET if self.in_secret else KeyState.IN_FILE


class KeyRing:
    """The key pairs of an environment."""

    def __init__(self, side: CloudSide, account: AwsAccount) -> None:
        self._names = side.names
        self.files = KeyFolder(side.names)
        self.secrets = KeySecrets(side, account)
        self.stack = StackFile(side.names.environment)

    def user_keys(self) -> Iterator[UserKey]:
        """Yield the key pair of every user that has one, the deployer first."""
        return (self.of(role) for role in USERS_WITH_KEYS)

    def of(self, role: str) -> UserKey:
        """Return the key pair of a role's user.

        Raises:
            OlistError: No user with a key holds that role.
        """
        if role not in USERS_WITH_KEYS:
            raise OlistError(
                f"no service user holds the role '{role}'",
                f"use one of: {', '.join(USERS_WITH_KEYS)}",
            )
        return UserKey(
            role=role,
            user=self._names.service_user(role),
            public=self.stack.keys_of(role),
            in_file=self.files.public_line(role),
            in_secret=self.secrets.public_line(role),
        )

    def has_first(self, role: str) -> bool:
        """Whether somebody holds the private half of a user's key.

        Raises:
            OlistError: The secret holds a key that the stack file does not know.
        """
        key = self.of(role)
        if key.state is KeyState.OUT_OF_STEP:
            raise _out_of_step(self, key)
        return key.state is not KeyState.NOT_HELD

    def make_first(self, role: str) -> None:
        """Make a user's first pair, or end what an interrupted run began."""
        public = self.files.public_line(role) or self.files.make(role)
        self.stack.set_keys(role, PublicKeys(public))

    def rotate(self, role: str) -> None:
        """Make the pair that is to follow a user's current one, or end what a run began.

        Raises:
            OlistError: There is no current pair, it was not stored, or a rotation has to end first.
        """
        key = self.of(role)
        if key.state is KeyState.OUT_OF_STEP:
            raise _out_of_step(self, key)
        if key.state is KeyState.ROTATING and key.in_file == key.public.following:
            return
        if key.public.following:
            raise OlistError(
                f"{self.stack.path}: the rotation of '{role}' has not ended",
                f"end it with: olist keys finish {self._names.environment} {role}",
            )
        if key.in_secret is None or key.in_file == key.in_secret:
            raise OlistError(
                f"{self.secrets.name(role)}: the current key of '{role}' is not stored there",
                f"first: olist keys store {self._names.environment}",
            )
        public = key.in_file or self.files.make(role)
        self.stack.set_keys(role, PublicKeys(key.public.current, public))

    def store(self, role: str) -> bool:
        """Move a user's private key from this machine into its secret; False without a file.

        Raises:
            OlistError: The stack file does not know the key, or there is no secret yet.
        """
        private_key = self.files.read(role)
        if private_key is None:
            return False
        key, path, name = self.of(role), self.files.path(role), self.secrets.name(role)
        if key.in_file not in key.public:
            raise OlistError(
                f"{path}: {self.stack.path.name} does not know its public half",
                "end the run that made it: the same `olist keys rotate` or `olist bootstrap` again",
            )
        if not self.secrets.exists(role):
            raise OlistError(
                f"{name}: there is no such secret yet",
                "deploy first: `pulumi up` makes the secrets, the bootstrap the deployer's",
            )
        if key.in_secret != key.in_file:
            self.secrets.put(role, private_key)
        if self.secrets.public_line(role) != key.in_file:
            raise OlistError(
                f"{name}: it does not hold the key of {path}", "the file is kept: run it again"
            )
        self.files.remove(role)
        return True

    def finish(self, role: str) -> None:
        """Let the following key be the current one.

        Raises:
            OlistError: There is no following key, or it is not in the secret.
        """
        key = self.of(role)
        if not key.public.following:
            raise OlistError(
                f"{self.stack.path}: '{role}' has no following key: no rotation is under way",
                f"begin one with: olist keys rotate {self._names.environment} {role}",
            )
        if key.state is not KeyState.STORED:
            raise OlistError(
                f"{self.secrets.name(role)}: it does not hold the following key of '{role}'",
                f"first: olist keys store {self._names.environment}",
            )
        self.stack.set_keys(role, key.public.promoted())


def _out_of_step(ring: KeyRing, key: UserKey) -> OlistError:
    return OlistError(
        f"{ring.secrets.name(key.role)}: it holds a key that {ring.stack.path} does not know",
        "get the newest stack file (git pull): somebody made a pair whose commit is not here",
    )
