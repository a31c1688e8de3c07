"""Artifacts in an S3 bucket, written with S3's conditional requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from olist_platform.aws_errors import aws_errors_explained, error_code
from olist_platform.release.stored_artifact import StoredArtifact
from olist_platform.s3_client import open_s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Something else is there by now; or two wrote at the same moment, and this one has to look again.
_LOST = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}
_ABSENT = {"NoSuchKey", "404"}


class S3ArtifactStore:
    """A bucket; infra creates it."""

    def __init__(
        self, bucket: str, *, region: str | None = None, endpoint_url: str | None = None
    ) -> None:
        self._bucket = bucket
        self._region = region
        self._endpoint_url = endpoint_url

    @property
    def url(self) -> str:
        """The bucket."""
        return f"s3://{self._bucket}"

    def read(self, key: str) -> StoredArtifact | None:
        """Return what is stored under a key, or None."""
        with self._explained(key):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error_code(error) in _ABSENT:
                    return None
                raise
            return StoredArtifact(answer["Body"].read(), answer["ETag"])

    def create(self, key: str, content: bytes) -> bool:
        """Store under a key that has nothing yet, or this very content."""
        return self._put(key, content, {"IfNoneMatch": "*"})

    def replace(self, key: str, content: bytes, version: str) -> bool:
        """Store in place of one version."""
        return self._put(key, content, {"IfMatch": version})

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin so, sorted."""
        with self._explained(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
            return sorted(entry["Key"] for page in pages for entry in page.get("Contents", []))

    def _put(self, key: str, content: bytes, condition: dict[str, str]) -> bool:
        with self._explained(key):
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=content,
                    **condition,  # type: ignore[arg-type]
                )
            except ClientError as error:
                if error_code(error) in _LOST:
                    # The answer to a first try may have been lost on its way.
                    stored = self.read(key)
                    return stored is not None and stored.content == content
                # Replaced and then deleted: that version is not there either.
                if error_code(error) in _ABSENT and "IfMatch" in condition:
                    return False
                raise
        return True

    @cached_property
    def _client(self) -> "S3Client":
        return open_s3(self._endpoint_url, self._region, read_timeout=60)

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        with aws_errors_explained(f"{self.url}/{key}", self._endpoint_url):
            yield
