"""Both stores refuse a write that expects something else to be there."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from olist_platform.errors import OlistError
from olist_platform.release.artifact_store import ArtifactStore
from olist_platform.release.folder_artifacts import FolderArtifactStore
from olist_platform.release.s3_artifacts import S3ArtifactStore

WRITERS = 8


def version_of(store: ArtifactStore, key: str) -> str:
    stored = store.read(key)
    assert stored is not None
    return stored.version


def test_nothing_is_ever_written_over_by_create(store: ArtifactStore) -> None:
    assert store.read("a/one") is None
    assert store.create("a/one", b"first")
    assert not store.create("a/one", b"second")
    # The answer to the first try may have been lost: the same again is no harm.
    assert store.create("a/one", b"first")
    stored = store.read("a/one")
    assert stored is not None
    assert stored.content == b"first"


def test_a_version_is_replaced_once(store: ArtifactStore) -> None:
    store.create("state", b"1")
    read = version_of(store, "state")
    assert store.replace("state", b"2", read)
    assert not store.replace("state", b"3", read)
    assert not store.replace("absent", b"3", read)
    assert store.replace("state", b"3", version_of(store, "state"))
    stored = store.read("state")
    assert stored is not None
    assert stored.content == b"3"


def test_keys_are_listed_by_their_beginning(store: ArtifactStore) -> None:
    for key in ("b/2", "b/1", "a", "bc/3"):
        store.create(key, b"")
    assert store.keys("b/") == ["b/1", "b/2"]
    assert store.keys("") == ["a", "b/1", "b/2", "bc/3"]


def test_of_many_folder_writers_one_creates_and_no_replacement_is_lost(tmp_path: Path) -> None:
    store = FolderArtifactStore(tmp_path)

    def add(number: int) -> bool:
        created = store.create("state", f"{number}".encode())
        added = False
        while not added:
            stored = store.read("state")
            assert stored is not None
            added = store.replace("state", stored.content + b"|%d" % number, stored.version)
        return created

    with ThreadPoolExecutor(WRITERS) as executor:
        created = list(executor.map(add, range(WRITERS)))
    assert created.count(True) == 1
    stored = store.read("state")
    assert stored is not None
    first, *added = stored.content.decode().split("|")
    assert created[int(first)]
    assert sorted(map(int, added)) == list(range(WRITERS))
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_a_bucket_that_is_not_there_is_said(aws: str) -> None:
    store = S3ArtifactStore("no-such-bucket", region="us-east-1", endpoint_url=aws)
    with pytest.raises(OlistError, match="no-such-bucket/key: the bucket does not exist"):
        store.create("key", b"")
