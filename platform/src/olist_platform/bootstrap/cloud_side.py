"""The cloud side of an environment, and a way into its AWS account and no other."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from olist_platform.aws_errors import CREDENTIALS_MEND, aws_errors_explained
from olist_platform.cloud_settings import CloudSettings
from olist_platform.environment import Environment, S3Landing, SnowflakeWarehouse
from olist_platform.errors import OlistError
from olist_platform.naming import Names


@dataclass(frozen=True, slots=True)
class CloudSide:
    """Settings of an environment that has a cloud side.

    Attributes:
        names: Names of its objects.
        landing: AWS account and region.
        warehouse: Snowflake account.
        cloud: Sizes, limits, networks and people.
    """

    names: Names
    landing: S3Landing
    warehouse: SnowflakeWarehouse
    cloud: CloudSettings

    @property
    def tags(self) -> dict[str, str]:
        """Tags of every AWS resource."""
        return self.cloud.tags.of_environment(self.names.environment)


def cloud_side(environment: Environment) -> CloudSide:
    """Return an environment's cloud side.

    Raises:
        OlistError: It runs on one machine.
    """
    landing, warehouse, cloud = environment.landing, environment.warehouse, environment.cloud
    if (
        cloud is None
        or not isinstance(landing, S3Landing)
        or not isinstance(warehouse, SnowflakeWarehouse)
    ):
        raise OlistError(
            f"environment '{environment.name}' has no cloud side: there is nothing to bootstrap",
            "use an environment on Snowflake and AWS, such as dev or prod",
        )
    return CloudSide(environment.names, landing, warehouse, cloud)


class AwsAccount:
    """Clients of the environment's account and region."""

    def __init__(self, side: CloudSide) -> None:
        self._side = side
        # A session of its own: the module's default one keeps the credentials it saw first.
        with aws_errors_explained("AWS"):
            self._session: Any = boto3.Session(region_name=side.landing.region)
        self._check()

    def client(self, service: str) -> Any:
        """Return a client of a service."""
        return self._session.client(
            service,
            config=Config(
                connect_timeout=5,
                read_timeout=30,
                retries={"mode": "standard", "total_max_attempts": 4},
            ),
        )

    def _check(self) -> None:
        """Refuse credentials of another account before anything is looked at or made."""
        with aws_errors_explained("AWS", service="STS"):
            found = self.client("sts").get_caller_identity()["Account"]
        wanted, name = self._side.landing.aws_account_id, self._side.names.environment
        if found != wanted:
            raise OlistError(
                f"the AWS credentials are of account {found}; "
                f"environments/{name}.yaml says {wanted} (key 'landing.aws_account_id')",
                f"correct that key, or use the account's own credentials; {CREDENTIALS_MEND}",
            )
