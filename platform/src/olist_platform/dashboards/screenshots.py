"""Pictures of the pages for the documents, taken by the browser of this machine."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.repository import repository_root

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# As root in a container the browser has no sandbox of its own.
BROWSER_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]


@dataclass(frozen=True, slots=True)
class _Picture:
    name: str
    page: str
    width: int
    height: int
    dark: bool = False


_PICTURES = (
    _Picture("dashboard-executive-phone", "index.html", 360, 640),
    _Picture("dashboard-operations", "operations.html", 1280, 800),
    _Picture("dashboard-customers-dark", "customers.html", 1280, 800, dark=True),
)


def pictures_folder() -> Path:
    """Where the pictures of the documents lie."""
    return repository_root() / "platform" / "docs" / "pictures"


def browser_path() -> str | None:
    """Return the browser with which this machine looks at pages; None where it has none."""
    return next((found for name in _BROWSERS if (found := shutil.which(name))), None)


def take_screenshots(site: Path, folder: Path) -> list[Path]:
    """Write the pictures of a site, and return their files.

    Args:
        site: Folder of the site.
        folder: Where the pictures go.

    Raises:
        OlistError: Playwright or a browser is missing, or a picture cannot be written.
    """
    browser = browser_path()
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415
    except ImportError:
        raise OlistError("Playwright is not installed", "make setup") from None
    if browser is None:
        raise OlistError("no Chromium on this machine", "on Debian: apt-get install chromium")
    with os_errors_explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    written = []
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=browser, args=BROWSER_ARGUMENTS)
        for picture in _PICTURES:
            page = launched.new_page(
                viewport={"width": picture.width, "height": picture.height},
                color_scheme="dark" if picture.dark else "light",
                reduced_motion="reduce",
                locale="en-US",
            )
            page.goto((site / picture.page).as_uri())
            page.wait_for_selector("html[data-drawn=yes]")
            path = folder / f"{picture.name}.png"
            page.screenshot(path=path)
            written.append(path)
            page.close()
        launched.close()
    return written
