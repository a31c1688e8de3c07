"""Where landing files lie: a folder or S3, behind one small interface."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from olist_platform.environment import Environment, S3Landing
from olist_platform.errors import OlistError
from olist_platform.landing.folder_store import FolderStore
from olist_platform.landing.stored_file import StoredFile, WriteOutcome

_S3_SCHEME = "s3://"


class LandingStore(Protocol):
    """Files by landing-relative path with `/`; all methods raise OlistError or OSError."""

    @property
    def url(self) -> str:
        """The place, as a user names it."""

    @property
    def parallelism(self) -> int:
        """How many files are worth reading or writing at the same time."""

    def list_files(self) -> list[StoredFile]:
        """Return every file, sorted by path; leftovers of broken writes are not files."""

    def read(self, path: str) -> BinaryIO:
        """Open a file for reading; the caller closes it."""

    def write(self, path: str, content: BinaryIO) -> WriteOutcome:
        """Write a file whole or not at all, and never over another content."""


@dataclass(frozen=True, slots=True)
class S3Location:
    """A bucket and the prefix within it, without slashes at its ends."""

    bucket: str
    prefix: str


def parse_s3_url(url: str) -> S3Location:
    """Split `s3://bucket/prefix`.

    Raises:
        OlistError: It names no bucket.
    """
    bucket, _, prefix = url.removeprefix(_S3_SCHEME).partition("/")
    if not bucket:
        raise OlistError(f"'{url}' names no bucket", "write it as s3://bucket/prefix")
    return S3Location(bucket, prefix.strip("/"))


def open_store(
    url: str, *, endpoint_url: str | None = None, region: str | None = None
) -> LandingStore:
    """Return the store at a folder or an `s3://bucket/prefix`; nothing is created or contacted.

    Args:
        url: The place.
        endpoint_url: S3 endpoint other than AWS itself.
        region: AWS region; the AWS configuration's unless told.

    Raises:
        OlistError: The URL is malformed, or an endpoint is given for a folder.
    """
    if url.startswith(_S3_SCHEME):
        # boto3 takes most of a second to import; a folder needs none of it.
        from olist_platform.landing.s3_store import S3Store  # noqa: PLC0415

        location = parse_s3_url(url)
        return S3Store(location.bucket, location.prefix, endpoint_url=endpoint_url, region=region)
    if "://" in url:
        raise OlistError(
            f"'{url}' is neither a folder nor S3", "use a folder or s3://bucket/prefix"
        )
    if not url:
        raise OlistError("an empty text is no landing", "use a folder or s3://bucket/prefix")
    if endpoint_url is not None:
        raise OlistError(
            f"an S3 endpoint makes no sense for the folder {url}", "use s3://bucket/prefix with it"
        )
    return FolderStore(Path(url).expanduser().absolute())


def landing_store(
    environment: Environment, *, url: str | None = None, endpoint_url: str | None = None
) -> LandingStore:
    """Return an environment's landing, or the one a user names instead.

    Args:
        environment: Gives what the user does not.
        url: Another folder or `s3://bucket/prefix`.
        endpoint_url: Another S3 endpoint.
    """
    region = None
    # The environment's endpoint belongs to its own landing; another bucket may be anywhere.
    if isinstance(environment.landing, S3Landing):
        region = environment.landing.region
        endpoint_url = endpoint_url or (environment.landing.endpoint_url if url is None else None)
    place = environment.landing_url if url is None else url
    return open_store(place, endpoint_url=endpoint_url, region=region)
