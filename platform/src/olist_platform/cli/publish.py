"""`olist publish`: hand the marts to those who read them, if their tests pass."""

from olist_platform.cli.console import EnvironmentOption, environment_named, err, out
from olist_platform.environment import DuckDBWarehouse
from olist_platform.naming import Layer


def publish(env: EnvironmentOption = "local") -> None:
    """Test the marts and all they are built from, and publish them if every test passes.

    If one fails, nothing changes for consumers. The production DAG publishes by itself.

    Example:  olist publish
    """
    # DuckDB takes a moment to import, which `olist --help` need not wait for.
    from olist_platform import publication  # noqa: PLC0415
    from olist_platform.dbt_command import fresh_manifest  # noqa: PLC0415

    environment = environment_named(env)
    with err.status("testing"):
        fresh_manifest(environment)
        tested_by = publication.require_passing_tests(environment)
    with err.status("publishing"):
        marts = publication.publish(environment, tested_by)
    where = (
        str(environment.serving_path)
        if isinstance(environment.warehouse, DuckDBWarehouse)
        else f"{environment.names.database}.{environment.names.schema(Layer.SERVING)}"
    )
    out.print(
        f"[bold green]published[/] {len(marts)} marts to {where}", soft_wrap=True, highlight=False
    )
    for mart in marts:
        out.print(f"  {mart}", highlight=False)
