"""The documentation of the warehouse as one self-contained page: lineage graph, models, columns."""

from pathlib import Path

from olist_platform.dbt_command import dbt_target_path, run_dbt, start_from_what_is_parsed
from olist_platform.duckdb_warehouse import open_warehouse
from olist_platform.environment import DuckDBWarehouse, Environment
from olist_platform.errors import OlistError, os_errors_explained
from olist_platform.file_lock import held_after_others
from olist_platform.repository import state_folder

# dbt's page holds all it needs, and a tracker that our settings switch off. This forbids a browser
# to fetch anything at all for it, whatever a later dbt puts in.
_NO_REQUESTS = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'unsafe-inline' 'unsafe-eval' data: blob:\">"
)


def docs_page_path(environment: Environment) -> Path:
    """Where an environment's page lies."""
    return state_folder(environment.name) / "docs" / "index.html"


def build_docs_site(environment: Environment) -> Path:
    """Write the page from the project and the warehouse as they are now, and return its path.

    The page is replaced in one step: a reader sees the former one or the new one, whole. dbt's own
    artifacts stay apart from those of builds, so that this can run beside one; a second call waits
    for the first.

    Raises:
        OlistError: The warehouse is missing or in use, dbt fails (its message is inside), or the
            page cannot be written.
    """
    if isinstance(environment.warehouse, DuckDBWarehouse):
        # dbt would make an empty one where there is none, and explains little of one in use.
        with open_warehouse(environment.duckdb_path, read_only=True):
            pass
    page = docs_page_path(environment)
    with held_after_others(state_folder(environment.name) / "docs.lock"):
        _write_page(environment, page)
    return page


def _write_page(environment: Environment, page: Path) -> None:
    target = dbt_target_path(environment) / "docs"
    start_from_what_is_parsed(environment, target)
    arguments = [
        *["docs", "generate", "--static", "--quiet", "--target-path", str(target)],
        # Compiling a thousand tests takes longer than all the rest, and the page shows their YAML.
        *["--exclude", "resource_type:test", "resource_type:unit_test"],
    ]
    result = run_dbt(environment, arguments, quiet=True)
    if result.returncode:
        raise OlistError(f"dbt cannot write the docs:\n{result.stdout}{result.stderr}")
    with os_errors_explained():
        text = (target / "static_index.html").read_text(encoding="utf-8")
        page.parent.mkdir(parents=True, exist_ok=True)
        partial = page.with_suffix(".part")
        partial.write_text(_without_requests(text), encoding="utf-8")
        partial.replace(page)


def _without_requests(text: str) -> str:
    head, found, body = text.partition("<head>")
    if not found:
        raise OlistError("dbt's docs page has no <head>; has its format changed?")
    return head + found + _NO_REQUESTS + body
