"""The client by which the platform talks to S3, alike for the landing and for releases."""

from functools import cache
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.loaders import Loader, create_loader
from botocore.session import get_session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def open_s3(
    endpoint_url: str | None, region: str | None, *, read_timeout: int, connections: int = 10
) -> "S3Client":
    """Return a client that tries a call four times.

    Args:
        endpoint_url: Where S3 answers; None for AWS.
        region: AWS region; None for the one of the credentials.
        read_timeout: How long an answer may take, seconds.
        connections: How many connections are kept open at once.
    """
    # A session of its own: it keeps the credentials it saw first.
    session = get_session()
    session.register_component("data_loader", _service_descriptions())
    client = session.create_client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=region,
        config=Config(
            connect_timeout=5,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": 4},
            max_pool_connections=connections,
            # Endpoints other than AWS often know none of the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    return cast("S3Client", client)


@cache
def _service_descriptions() -> Loader:
    """AWS' descriptions of its services; reading them takes longer than all else of a client."""
    return create_loader(get_session().get_config_variable("data_path"))
