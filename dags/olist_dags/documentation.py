"""The task that writes the documentation page of the warehouse that was just published."""

from airflow.sdk import task

from olist_dags.dag_environment import current_environment


@task(task_id="build_docs")
def build_docs() -> str:
    """Write the page of models, columns and lineage, and return its path."""
    # Imported when it runs: the scheduler parses this file again and again.
    from olist_platform.docs_site import build_docs_site  # noqa: PLC0415

    return str(build_docs_site(current_environment()))
