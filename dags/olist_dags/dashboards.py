"""The task that rebuilds the dashboards' pages from the marts that were just published."""

from airflow.sdk import task

from olist_dags.dag_environment import current_environment


@task(task_id="build_dashboards")
def build_dashboards() -> str:
    """Write the pages, let them take the former ones' place in one step, and return the first."""
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform.dashboards.site import build_site  # noqa: PLC0415

    return str(build_site(current_environment()).first_page)
