"""What is said of a file whose columns are not those of the source catalog."""

_ANOTHER_HEADER = "wrong header"


def tells_of_another_header(reason: str) -> bool:
    """Whether a file was refused because its columns are not those of the source catalog."""
    return reason.startswith(_ANOTHER_HEADER)


def describe_header(found: list[str], expected: tuple[str, ...]) -> str:
    """Say how a header differs from the expected one."""
    missing = [name for name in expected if name not in found]
    unexpected = [name for name in found if name not in expected]
    parts = []
    if missing:
        parts.append(f"missing {', '.join(missing)}")
    if unexpected:
        parts.append(f"unexpected {', '.join(repr(name[:40]) for name in unexpected[:20])}")
    if not parts:
        parts.append("the columns are repeated or in another order")
    got = ",".join(found)
    got = got if len(got) <= 300 else f"{got[:300]}..."  # noqa: PLR2004
    return f"{_ANOTHER_HEADER}: {'; '.join(parts)} (expected {','.join(expected)}; got {got})"
