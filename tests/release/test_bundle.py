"""A bundle's archive: one form, and every byte that is not as it should be is named."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from olist_platform.errors import OlistError
from olist_platform.release.bundle import (
    Bundle,
    SourceFile,
    faults_of,
    read_bundle,
    write_bundle,
)
from olist_platform.release.bundle_manifest import MANIFEST_PATH
from release_bundles import small_bundle

BUNDLE = small_bundle(1, {"a/empty": b"", "long/" + "n" * 120: b"behind a long name"})
paths = st.from_regex(r"[a-z]{1,8}(/[a-zé ]{1,8}){0,3}", fullmatch=True)


def rewritten(keep: set[str] | None = None, add: dict[str, bytes] | None = None) -> bytes:
    """The archive with other files, as somebody with a tar program would leave it."""
    output = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(BUNDLE.archive)) as source,
        tarfile.open(fileobj=output, mode="w", format=tarfile.PAX_FORMAT) as target,
    ):
        for member in source:
            if keep is None or member.name in keep:
                target.addfile(member, source.extractfile(member))
        for name, content in (add or {}).items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            target.addfile(header, io.BytesIO(content))
    return output.getvalue()


@given(files=st.dictionaries(paths, st.binary(max_size=1500), max_size=6), order=st.randoms())
@settings(max_examples=50)
def test_the_order_of_files_does_not_matter_and_every_content_comes_back(
    files: dict[str, bytes], order: object
) -> None:
    sources = {path: SourceFile(content) for path, content in files.items()}
    shuffled = list(sources)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    one = write_bundle(sources, BUNDLE.manifest)
    other = write_bundle({path: sources[path] for path in shuffled}, BUNDLE.manifest)
    assert one.archive == other.archive
    assert {path: one.read(path) for path in files} == files
    assert set(Bundle(one.archive).manifest.files) == set(files)


def owner_of(place: int) -> str:
    """The file whose block a byte of the archive is in."""
    owner, end = "", 0
    with tarfile.open(fileobj=io.BytesIO(BUNDLE.archive)) as tar:
        for member in tar:
            if member.offset <= place:
                owner = member.name
            end = member.offset_data + -(-member.size // 512) * 512
    return owner if place < end else "the end of the archive"


@given(place=st.integers(0, len(BUNDLE.archive) - 1), change=st.integers(1, 255))
@settings(max_examples=300)
def test_any_changed_byte_is_named_by_its_file(place: int, change: int) -> None:
    archive = bytearray(BUNDLE.archive)
    archive[place] ^= change
    owner = owner_of(place)
    try:
        found = [str(fault) for fault in faults_of(bytes(archive))]
    except OlistError as error:
        # Of its manifest's own bytes nothing else is certain any more.
        assert owner == MANIFEST_PATH
        found = [error.message]
    assert len(found) == 1 or owner == MANIFEST_PATH, found
    assert any(owner in fault or "no release bundle" in fault for fault in found), (owner, found)
    with pytest.raises(OlistError):
        Bundle(bytes(archive))


@given(end=st.integers(0, len(BUNDLE.archive) - 1))
@settings(max_examples=100)
def test_a_bundle_cut_off_anywhere_is_refused(end: int) -> None:
    with pytest.raises(OlistError, match=r"damaged|no release"):
        Bundle(BUNDLE.archive[:end])


def test_a_missing_and_an_added_file_are_named() -> None:
    names = {MANIFEST_PATH, *BUNDLE.manifest.files}
    gone = "dags/olist_production.py"
    faults = faults_of(rewritten(names - {gone}))
    assert [str(fault) for fault in faults] == [f"missing: {gone}"]
    faults = faults_of(rewritten(add={"dags/extra.py": b"print()\n"}))
    assert [str(fault) for fault in faults] == ["added: dags/extra.py"]
    faults = faults_of(rewritten(names - {gone}, {gone: b"RELEASE = 2\n", "dags/b.py": b""}))
    assert [str(fault) for fault in faults] == ["added: dags/b.py", f"changed: {gone}"]
    with pytest.raises(OlistError, match=r"it is damaged:\n  added: dags/extra\.py"):
        Bundle(rewritten(add={"dags/extra.py": b"print()\n"}))


def test_bytes_at_the_end_are_named() -> None:
    faults = faults_of(BUNDLE.archive + b"x")
    assert [str(fault) for fault in faults] == ["added: 1 bytes at the end of the archive"]


def test_a_wholly_rewritten_bundle_is_known_by_its_digest(tmp_path: Path) -> None:
    """Its manifest agrees with its files, so only who knows the digest sees it."""
    forged = small_bundle(1, {"dags/olist_production.py": b"RELEASE = 'mine'\n"})
    path = tmp_path / "release.tar"
    path.write_bytes(forged.archive)
    assert read_bundle(path).digest == forged.digest
    genuine = small_bundle(1)
    with pytest.raises(OlistError, match=f"another bundle.*{genuine.digest}.*{MANIFEST_PATH}"):
        read_bundle(path, genuine.digest)


@pytest.mark.parametrize("content", [b"", b"no archive", bytes(10240)])
def test_what_is_no_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "release.tar"
    path.write_bytes(content)
    with pytest.raises(OlistError, match=r"release\.tar: it (is no release|has no release/)"):
        read_bundle(path)


def test_a_path_that_leads_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OlistError, match=r"added: \.\./outside"):
        write_bundle({"../outside": SourceFile(b"")}, BUNDLE.manifest)
    assert list(tmp_path.iterdir()) == []


def test_unpacked_it_has_every_file_and_right(tmp_path: Path) -> None:
    bundle = write_bundle(
        {"bin/run": SourceFile(b"#!/bin/sh\n", executable=True), "b": SourceFile(b"2")},
        BUNDLE.manifest,
    )
    folder = tmp_path / "unpacked"
    folder.mkdir()
    (folder / "of-a-killed-run").touch()
    bundle.unpack(folder)
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {"bin/run", "b", MANIFEST_PATH}
    assert [(folder / name).stat().st_mode & 0o777 for name in ("bin/run", "b")] == [0o755, 0o644]
    assert [path.name for path in tmp_path.iterdir()] == ["unpacked"]
