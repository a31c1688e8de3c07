"""Whether Pulumi and what builds releases are here: running the platform needs neither."""

import sys
from importlib.util import find_spec

from olist_platform.errors import OlistError

_TOOLS = ("pulumi", "pulumi_aws", "pulumi_snowflake", "pulumi_policy", "networkx", "cyclonedx")


def require_infrastructure_tools() -> None:
    """Check that what plans an infrastructure can be imported.

    Raises:
        OlistError: A package of requirements/infrastructure.txt is missing.
    """
    missing = [name for name in _TOOLS if find_spec(name) is None]
    if missing:
        raise OlistError(
            f"not installed beside {sys.executable}: {', '.join(missing)}", "run: make setup"
        )
