"""The server of the pages answers this machine alone, and by its own name."""

from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from olist_platform.dashboards.site_server import served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("GMV 1 BRL", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("host", ["localhost", "localhost:8050", "127.0.0.1:8050", "LOCALHOST"])
def test_a_name_of_this_machine_is_answered(folder: Path, host: str) -> None:
    with served(folder, 0) as address:
        assert ask(address, host) == "GMV 1 BRL"


@pytest.mark.parametrize("host", ["figures.example", "127.0.0.1.figures.example", "[", ""])
def test_a_name_that_is_made_to_mean_this_machine_is_not(folder: Path, host: str) -> None:
    with served(folder, 0) as address, pytest.raises(HTTPError) as refused:
        ask(address, host)
    assert refused.value.code == 421
    assert "GMV" not in refused.value.read().decode()


def ask(address: str, host: str) -> str:
    request = Request(address, headers={"Host": host})  # noqa: S310 - our own server
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
        return str(answer.read().decode())
