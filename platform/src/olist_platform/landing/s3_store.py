"""Landing files in an S3 bucket, of AWS or of any other endpoint."""

import errno
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, cast

from botocore.exceptions import ClientError

from olist_platform.aws_errors import aws_errors_explained
from olist_platform.errors import os_errors_explained
from olist_platform.landing.stored_file import StoredFile, WriteOutcome
from olist_platform.s3_client import open_s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PIECE = 1 << 20
_KEPT_IN_MEMORY = 8 << 20
_CHECKSUM_KEY = "olist-sha256"
# What S3 says when another process has written the key, or is writing it.
_OVERTAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


class S3Store:
    """A prefix of a bucket; the bucket itself is infra's to create."""

    parallelism = 8

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._endpoint_url = endpoint_url
        self._region = region

    @property
    def url(self) -> str:
        """The bucket and prefix."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def list_files(self) -> list[StoredFile]:
        """Return every object under the prefix, sorted by path."""
        found = []
        with self._explained(self._prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            )
            for page in pages:
                for entry in page.get("Contents", []):
                    path = entry["Key"].removeprefix(self._prefix)
                    # Consoles make empty objects that stand for folders.
                    if path and not path.endswith("/"):
                        fingerprint = f"{entry['Size']}-{entry['ETag']}"
                        found.append(
                            StoredFile(path, entry["Size"], fingerprint, entry["LastModified"])
                        )
        return sorted(found, key=lambda stored: stored.path)

    def read(self, path: str) -> BinaryIO:
        """Fetch an object; a large one goes to an unnamed temporary file.

        Raises:
            FileNotFoundError: The object has gone.
            OlistError: S3 refuses or does not answer, or the temporary folder is full.
        """
        target = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_KEPT_IN_MEMORY))  # noqa: SIM115
        key = self._prefix + path
        with self._explained(key):
            try:
                body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
            except self._client.exceptions.NoSuchKey:
                raise FileNotFoundError(errno.ENOENT, "No such object", path) from None
            for piece in body.iter_chunks(_PIECE):
                with os_errors_explained(tempfile.gettempdir()):
                    target.write(piece)
        target.seek(0)
        return target

    def write(self, path: str, content: BinaryIO) -> WriteOutcome:
        """Put an object with its checksum, unless there is an object of that key."""
        key = self._prefix + path
        checksum = _sha256(content)
        with self._explained(key):
            existing = self._checksum_of(key)
            if existing is None:
                try:
                    self._client.put_object(
                        Bucket=self._bucket,
                        Key=key,
                        Body=content,
                        Metadata={_CHECKSUM_KEY: checksum},
                        ContentType="application/gzip",
                        IfNoneMatch="*",
                    )
                except ClientError as error:
                    if error.response["Error"]["Code"] not in _OVERTAKEN:
                        raise
                    existing = self._checksum_of(key)
                else:
                    return WriteOutcome.WRITTEN
        return WriteOutcome.UNCHANGED if existing == checksum else WriteOutcome.TAKEN

    @cached_property
    def _client(self) -> "S3Client":
        return open_s3(
            self._endpoint_url,
            self._region,
            read_timeout=30,
            connections=2 * self.parallelism,
        )

    def _checksum_of(self, key: str) -> str | None:
        """Return an object's checksum, None without an object, "" for one that has none."""
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
                return None
            raise
        return head["Metadata"].get(_CHECKSUM_KEY, "")

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        with aws_errors_explained(f"s3://{self._bucket}/{key}", self._endpoint_url):
            yield


def _sha256(content: BinaryIO) -> str:
    """Return the checksum; the content is at its beginning again."""
    content.seek(0)
    digest = hashlib.sha256()
    while piece := content.read(_PIECE):
        digest.update(piece)
    content.seek(0)
    return digest.hexdigest()
