"""The task that makes the dashboards' pages anew from the marts that were just published."""

from airflow.sdk import task

from olist_dags.dag_environment import current_environment


@task(task_id="build_dashboards")
def build_dashboards() -> str:
    """Write the pages, let them take the former ones' place in one step, and return the first.

    On Snowflake the marts are not read by the pages yet; the task is then skipped.
    """
    # Imported when it runs: the scheduler parses this file again and again.
    from airflow.sdk.exceptions import AirflowSkipException  # noqa: PLC0415

    from olist_platform.dashboards.site import build_site  # noqa: PLC0415
    from olist_platform.environment import DuckDBWarehouse  # noqa: PLC0415

    environment = current_environment()
    if not isinstance(environment.warehouse, DuckDBWarehouse):
        raise AirflowSkipException("pages are made from DuckDB's published copy only")
    return str(build_site(environment).first_page)
