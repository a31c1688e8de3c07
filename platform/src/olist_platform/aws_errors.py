"""What AWS refuses, said as an error that a user can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)

from olist_platform.errors import OlistError

CREDENTIALS_MEND = "log in: aws sso login, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_DENIED = {
    "403",
    "AccessDenied",
    "AccessDeniedException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "InvalidToken"}


@contextmanager
def aws_errors_explained(
    subject: str, endpoint_url: str | None = None, service: str = "S3"
) -> Iterator[None]:
    """Raise what boto3 raises from the block as an OlistError.

    Args:
        subject: What the block is about: an object, a bucket, a key.
        endpoint_url: The endpoint it talks to, or None for AWS's own.
        service: The service, as AWS calls it.
    """
    try:
        yield
    except (ClientError, BotoCoreError, ValueError) as error:
        raise _explain(error, subject, endpoint_url, service) from error


def error_code(error: ClientError) -> str:
    """Return the code of what a service answered."""
    return str(error.response["Error"]["Code"])


def _explain(error: Exception, subject: str, endpoint_url: str | None, service: str) -> OlistError:
    match error:
        case (
            NoCredentialsError()
            | PartialCredentialsError()
            | ProfileNotFound()
            | SSOError()
            | TokenRetrievalError()
        ):
            return OlistError(f"{subject}: no AWS credentials: {error}", CREDENTIALS_MEND)
        case EndpointConnectionError() | ConnectTimeoutError() | ReadTimeoutError():
            return OlistError(
                f"{subject}: the {service} endpoint {endpoint_url or 'AWS'} does not answer",
                "check the endpoint URL and the network, then run the same command again",
            )
        case ClientError():
            return _explain_refusal(error, subject, service)
        case _:
            return OlistError(f"{subject}: {error}", "check the bucket's name and the endpoint URL")


def _explain_refusal(error: ClientError, subject: str, service: str) -> OlistError:
    code = error_code(error)
    if code == "NoSuchBucket":
        return OlistError(
            f"{subject}: the bucket does not exist",
            "check its name and the endpoint URL; infra creates the environments' buckets",
        )
    if code in _DENIED:
        return OlistError(f"{subject}: access denied ({code})", CREDENTIALS_MEND)
    if code in _EXPIRED:
        return OlistError(f"{subject}: the AWS session has expired", CREDENTIALS_MEND)
    message = error.response["Error"].get("Message", "")
    return OlistError(f"{subject}: {service} answered {code}: {message}".rstrip(": "))
