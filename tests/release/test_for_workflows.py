"""What workflows take from the record: stale schemas, notes, approvals; bill and dbt manifest."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from olist_platform.cli import release as release_command
from olist_platform.continuous_integration.github import GitHub
from olist_platform.continuous_integration.release_notes import noted_release, release_notes
from olist_platform.continuous_integration.stale_schemas import stale_schemas
from olist_platform.errors import OlistError
from olist_platform.release.dbt_manifest import stable_manifest
from olist_platform.release.folder_artifacts import FolderArtifactStore
from olist_platform.release.git_tree import Commit
from olist_platform.release.software_bill import software_bill
from olist_platform.release.stored_bundles import bundle_key, full_digest
from olist_workspace import ROOT
from staged_environment import RELEASES, StagedEnvironment

NOW = datetime(2026, 3, 1, tzinfo=UTC)
COMMIT = Commit("a" * 40, NOW, "Marts by state")


@pytest.fixture
def environment(tmp_path: Path) -> StagedEnvironment:
    staged = StagedEnvironment(FolderArtifactStore(tmp_path))
    for release in RELEASES[:3]:
        staged.deploy(release)
    return staged


def test_only_schemas_of_closed_pull_requests_and_forgotten_releases_are_stale(
    environment: StagedEnvironment,
) -> None:
    gone, before, running = (release.digest[:12] for release in RELEASES[:3])
    kept = [
        "marts",
        "olist_production",
        "pr_12_marts",
        "pr_x",
        f"release_{running}_marts",
        f"served_{before}",
        "release_notes",
    ]
    stale = ["pr_11_marts", f"release_{gone}_staging", f"served_{gone}"]
    found = stale_schemas([*kept, *stale], {12}, environment.record.state())
    assert list(found) == sorted(stale)


@pytest.mark.parametrize(("name", "has_an_image"), [("prod", True), ("local", False)])
def test_who_deploys_is_told_which_image_airflow_needs(
    environment: StagedEnvironment,
    capsys: pytest.CaptureFixture[str],
    name: str,
    has_an_image: bool,
) -> None:
    event = environment.record.state().last_event
    assert event is not None
    release_command._say_how_it_ended(event, name)
    wanted = f"Airflow's image has to be of commit {RELEASES[2].commit[:12]} too"
    assert (wanted in capsys.readouterr().out) is has_an_image


def test_a_digest_may_be_written_as_a_screen_shows_it(tmp_path: Path) -> None:
    store = FolderArtifactStore(tmp_path)
    digests = ["a" * 64, "a" * 11 + "b" * 53]
    for digest in digests:
        store.create(bundle_key(digest), b"a bundle")
    assert [full_digest(store, digest[:12]) for digest in digests] == digests
    assert full_digest(store, "c" * 12) == "c" * 12
    assert full_digest(store, digests[0]) == digests[0]
    with pytest.raises(OlistError, match=f"2 releases of .* begin with {'a' * 5}"):
        full_digest(store, "a" * 5)


def test_notes_tell_what_came_in(environment: StagedEnvironment) -> None:
    noted = noted_release(environment.record.state())
    assert noted is not None
    assert (noted.release, noted.before) == (RELEASES[2], RELEASES[1])
    text = release_notes(noted, "prod", [COMMIT])
    assert f"- digest `{RELEASES[2].digest}`" in text
    assert f"## Changes since {RELEASES[1].commit[:12]}" in text
    assert "- Marts by state (aaaaaaaaaaaa)" in text
    assert "| switch | done |" in text
    environment.roll_back()
    assert noted_release(environment.record.state()) is None


def test_labels_and_comments_go_through_githubs_cli(gh: Path) -> None:
    labels = [{"labels": [{"name": "approved-budget"}]}, {"labels": []}]
    (gh / "answer").write_text(json.dumps(labels))
    github = GitHub("olist/olist-platform")
    assert github.labels_of(["abc", "def"]) == ("approved-budget",)
    github.comment(12, Path("plan.md"))
    calls = (gh / "calls").read_text().splitlines()
    assert calls[:2] == [
        f"api repos/olist/olist-platform/commits/{commit}/pulls" for commit in ("abc", "def")
    ]
    assert calls[2].endswith("--body-file plan.md --edit-last --create-if-none")
    (gh / "error").write_text("HTTP 403: Resource not accessible by integration\n")
    with pytest.raises(OlistError, match="not accessible by integration"):
        github.comment(12, Path("plan.md"))


def test_the_bill_lists_every_locked_package_with_its_checksums() -> None:
    locks = {
        path.name: path.read_text(encoding="utf-8")
        for path in (ROOT / "requirements").glob("*.txt")
    }
    bill = software_bill(locks, COMMIT)
    assert bill == software_bill(dict(reversed(locks.items())), COMMIT)
    document: dict[str, Any] = json.loads(bill)
    found = {component["name"]: component for component in document["components"]}
    duckdb = found["duckdb"]
    assert duckdb["version"] == "1.5.5"
    assert duckdb["purl"] == "pkg:pypi/duckdb@1.5.5"
    digests = {entry["content"] for entry in duckdb["hashes"]}
    assert digests
    assert all(f"--hash=sha256:{digest}" in locks["runtime.txt"] for digest in digests)
    assert sum(text.count("==") for text in locks.values()) >= len(found) > 200
    assert document["metadata"]["component"]["version"] == COMMIT.sha


def test_the_bill_is_valid_cyclonedx() -> None:
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    lock = "polars==1.0 \\\n    --hash=sha256:" + "0" * 64
    bill = software_bill({"a.txt": lock}, COMMIT).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill) is None
    broken = bill.replace('"version": "1.0"', '"version": 1')
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(broken) is not None


def test_locks_that_disagree_are_refused() -> None:
    with pytest.raises(OlistError, match=r"b\.txt pins polars 2\.0, a\.txt pins 1\.0"):
        software_bill({"a.txt": "polars==1.0\n", "b.txt": "polars==2.0\n"}, COMMIT)
    with pytest.raises(OlistError, match=r"a\.txt: it pins no package"):
        software_bill({"a.txt": "# nothing\n"}, COMMIT)


def test_a_dbt_manifest_keeps_everything_but_run_and_machine() -> None:
    def manifest(run: str, folder: str, moment: float) -> dict[str, Any]:
        return {
            "metadata": {"generated_at": run, "invocation_id": run, "dbt_version": "1.11.16"},
            "nodes": {
                "seed.olist.a": {"root_path": folder, "created_at": moment, "columns": {"id": {}}},
                # A column that is called as a moment is no moment.
                "model.olist.b": {"columns": {"created_at": {"name": "created_at"}}},
            },
        }

    one = stable_manifest(manifest("1", "/home/ana", 1.5), "2026-03-01")
    assert one == stable_manifest(manifest("2", "/home/bia", 2.5), "2026-03-01")
    assert one["metadata"] == {
        "generated_at": "2026-03-01",
        "dbt_version": "1.11.16",
        "env": {},
    }
    assert one["nodes"]["model.olist.b"]["columns"]["created_at"] == {"name": "created_at"}
