"""Files of a test's own, changed in one place."""

from pathlib import Path

from yaml_files import read_yaml, write_yaml


def replace_text(path: Path, before: str, after: str) -> None:
    """Replace the first place where a text stands; it has to stand somewhere."""
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def set_key(path: Path, key: str, value: object) -> None:
    """Set a key of a YAML file, `section.key`; its sections have to be there."""
    content = read_yaml(path)
    *parents, last = key.split(".")
    section = content
    for parent in parents:
        section = section[parent]
    section[last] = value
    write_yaml(path, content)
