"""The machine's errors in a user's words."""

from pathlib import Path

import pytest

from olist_platform.errors import OlistError, os_errors_explained


def test_of_two_paths_the_place_is_named(tmp_path: Path) -> None:
    place, draft = tmp_path / "file", tmp_path / "file.part"
    place.mkdir()
    draft.write_text("x", encoding="utf-8")
    with pytest.raises(OlistError) as raised, os_errors_explained(tmp_path):
        draft.replace(place)
    assert raised.value.message == f"{place}: it is a folder, not a file"
    with pytest.raises(OlistError) as raised, os_errors_explained(tmp_path):
        place.symlink_to("builds/0123")
    assert (
        raised.value.message == f"{place}: it is in the way: a file or folder of that name exists"
    )
