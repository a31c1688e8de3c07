"""dbt can read again what it parsed; else every dbt of every command parses the whole project."""

from collections.abc import Callable

from olist_workspace import Workspace


def test_dbt_finds_nothing_to_parse_in_what_is_parsed(
    make_workspace: Callable[[str], Workspace],
) -> None:
    # What cannot be read, such as a var with numbers as keys, dbt passes over in silence.
    printed = make_workspace("parsed_twice").olist("dbt", "--", "--debug", "parse")
    assert "0 files deleted, 0 files added, 0 files changed" in printed
    assert "Nothing changed, skipping partial parsing" in printed
