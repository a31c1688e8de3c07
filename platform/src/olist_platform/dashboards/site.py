"""The web site: one page a dashboard and what the pages share, written beside the former site.

A build is a folder named after its content. The site is a link to one of them, which is replaced in
one step: a reader finds the former site or the new one, whole. The former build stays until the
next, for those who have its pages open.
"""

import hashlib
import itertools
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import jinja2
import vl_convert
from markupsafe import Markup

from olist_platform.dashboards.catalog import load_dashboards
from olist_platform.dashboards.charts import CHARTS
from olist_platform.dashboards.contracts import read_contracts, read_owners
from olist_platform.dashboards.description import Dashboard, Page, Tile, TileKind
from olist_platform.dashboards.page_content import (
    Json,
    cell,
    explanation,
    page_content,
    read_freshness,
)
from olist_platform.dashboards.published_marts import PublishedMarts, open_published_marts
from olist_platform.environment import Environment
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.file_lock import held_after_others
from olist_platform.repository import state_folder

_BUILDS_SUFFIX = ".builds"
_LOCK = ".lock"
_ASSETS = "assets"
_FIRST_PAGE = "index.html"
_CHART_LIBRARY = "vl-convert-python"
_EXPORTED = "window.vegaEmbed = vegaEmbed;"
_NAME_LENGTH = 12
# Holds the build's name, for pages that look whether they are still the newest.
BUILD_FILE = "build.txt"
# Stands in the pages for the build's name, which is that of their content.
_BUILD_MARK = "build-of-this-page"
_FIGURE_WIDTHS = {TileKind.KPI: "quarter", TileKind.RANKING: "half"}
_BESIDE_OTHERS = CHARTS - {TileKind.FORECAST}
_WEB = files("olist_platform.dashboards") / "web"


@dataclass(frozen=True, slots=True)
class Site:
    """A site that was written.

    Attributes:
        folder: Where readers find it.
        build: Name of its content; equal for equal content.
    """

    folder: Path
    build: str

    @property
    def first_page(self) -> Path:
        """The page to open."""
        return self.folder / _FIRST_PAGE


def site_folder(environment: Environment) -> Path:
    """Where an environment's site lies unless told otherwise."""
    return state_folder(environment.name) / "dashboards"


def first_page(environment: Environment) -> Path:
    """The page to open of an environment's site."""
    return site_folder(environment) / _FIRST_PAGE


def build_site(environment: Environment, folder: Path | None = None) -> Site:
    """Write the site from the marts as they are published, and let it take the former one's place.

    Args:
        environment: Whose marts.
        folder: Where readers find it; `site_folder` unless told.

    Raises:
        OlistError: Nothing is published, a description does not fit the marts, or the site cannot
            be written. The former site stays as it was.
    """
    folder = (folder or site_folder(environment)).absolute()
    with os_errors_explained(folder):
        if folder.exists() and not folder.is_symlink():
            raise OlistError(
                f"{folder} is in the way: it is no site of dashboards",
                "name another place with --output, or move it away",
            )
    dashboards = load_dashboards()
    assets = _assets(folder)
    with open_published_marts(environment) as marts:
        pages = _pages(environment, dashboards, marts, list(assets))
    with os_errors_explained(folder):
        return _put({**pages, **assets}, folder)


def _assets(former_site: Path) -> dict[str, bytes]:
    """Return what the pages share: a style sheet, the charting library, the script of the pages.

    Their names tell their content, so that a browser never takes an old one for a new one.
    """
    style, script = ((_WEB / name).read_bytes() for name in ("dashboard.css", "dashboard.js"))
    library = f"{_ASSETS}/vega-{version(_CHART_LIBRARY)}.js"
    made = former_site / library
    # Putting it together takes seconds, and it is the same until the library has a new version.
    charts = (
        made.read_bytes() if made.exists() else vl_convert.javascript_bundle(_EXPORTED).encode()
    )
    return {
        f"{_ASSETS}/dashboard-{_name_of(style)}.css": style,
        library: charts,
        f"{_ASSETS}/dashboard-{_name_of(script)}.js": script,
    }


def _pages(
    environment: Environment,
    dashboards: Sequence[Dashboard],
    marts: PublishedMarts,
    assets: Sequence[str],
) -> dict[str, bytes]:
    """Return the content of every page, by its file's name."""
    contracts, owners = read_contracts(), read_owners()
    template = _template()
    publication = marts.publication()
    links = {
        f"{one.name}.{tile.name}": {"href": f"{one.web_page}#{tile.name}", "title": tile.title}
        for one in dashboards
        for tile in one.tiles
    }
    style, *scripts = assets
    old_after_hours = environment.monitoring.published_within_hours
    return {
        dashboard.web_page: template.render(
            dashboard=dashboard,
            dashboards=dashboards,
            build_mark=_BUILD_MARK,
            environment=environment.name.value,
            as_of_date=cell(publication.as_of_date),
            published_at=cell(publication.published_at),
            invocation=publication.dbt_invocation_id,
            freshness=read_freshness(dashboard, marts),
            explanations={
                tile.name: explanation(tile, contracts[tile.mart]) for tile in dashboard.tiles
            },
            owners={tile.name: owners[tile.owner or dashboard.owner] for tile in dashboard.tiles},
            # What a phone shows first is figures, not a remark about them.
            figures_first=_is_figure(dashboard.tiles[0]),
            links=links,
            widths={
                name: width for page in dashboard.pages for name, width in tile_widths(page).items()
            },
            content=_json(page_content(dashboard, marts, old_after_hours)),
            style=style,
            scripts=scripts,
        ).encode()
        for dashboard in dashboards
    }


def tile_widths(page: Page) -> dict[str, str]:
    """Return how wide each tile of a page is on a wide screen, so that no row has a gap."""
    widths = {}
    for is_figure, group in itertools.groupby(page.tiles, _is_figure):
        tiles = list(group)
        if is_figure:
            widths.update({tile.name: _FIGURE_WIDTHS[tile.kind] for tile in tiles})
            continue
        for is_chart, run in itertools.groupby(tiles, lambda tile: tile.kind in _BESIDE_OTHERS):
            beside = list(run)
            several = "third" if len(beside) % 3 == 0 else "half"
            widths.update({tile.name: several if is_chart else "whole" for tile in beside})
            if is_chart and len(beside) % 2 and len(beside) % 3:
                widths[beside[-1].name] = "whole"
    return widths


def _is_figure(tile: Tile) -> bool:
    return tile.kind in _FIGURE_WIDTHS


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string((_WEB / "page.html.j2").read_text(encoding="utf-8"))


def _json(content: Json) -> Markup:
    """Return JSON that cannot end the element of the page it stands in."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - nothing in it can be markup


def _put(content: Mapping[str, bytes], folder: Path) -> Site:
    """Write a build and let the site be it."""
    build = _name_of(b"".join(b"%b\0%b\0" % (n.encode(), c) for n, c in sorted(content.items())))
    builds = folder.with_name(folder.name + _BUILDS_SUFFIX)
    # Else one would clear away what another has written and not yet linked to.
    with held_after_others(builds / _LOCK):
        _put_build(build, content, folder, builds)
    return Site(folder, build)


def _put_build(build: str, content: Mapping[str, bytes], folder: Path, builds: Path) -> None:
    place = builds / build
    if not place.exists():
        with tempfile.TemporaryDirectory(dir=builds, prefix=".part-") as partial:
            written = Path(partial) / build
            for name, held in {**content, BUILD_FILE: f"{build}\n".encode()}.items():
                path = written / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(held.replace(_BUILD_MARK.encode(), build.encode(), 1))
            written.rename(place)
    former = folder.resolve()
    link = builds / ".link"
    link.unlink(missing_ok=True)
    # From the folder of the link, so that both can be moved together.
    link.symlink_to(Path(builds.name) / build)
    link.replace(folder)
    for leftover in builds.glob(".*/"):
        shutil.rmtree(leftover, ignore_errors=True)
    for leftover in builds.iterdir():
        if leftover.is_dir() and leftover not in (place, former):
            # Killed half way, what is left must not pass for a build of that name.
            hidden = leftover.rename(leftover.with_name(f".{leftover.name}"))
            shutil.rmtree(hidden, ignore_errors=True)


def _name_of(held: bytes) -> str:
    return hashlib.sha256(held).hexdigest()[:_NAME_LENGTH]
