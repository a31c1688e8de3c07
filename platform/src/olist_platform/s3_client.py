"""The client by which the platform talks to S3, alike for the landing and for releases."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

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
    # A session of its own: the module's default one keeps the credentials it saw first.
    return boto3.Session().client(
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
