"""Which schemas of a warehouse nobody needs any more."""

import re
from collections.abc import Collection, Iterable

from olist_platform.release.bundle_manifest import short
from olist_platform.release.deployment_state import EnvironmentState

_OF_PULL_REQUEST = re.compile(r"pr_(?P<number>\d+)_\w+", re.IGNORECASE)
_OF_RELEASE = re.compile(r"(?:release|served)_(?P<digest>[0-9a-f]{12})(?:_\w+)?", re.IGNORECASE)


def stale_schemas(
    schemas: Iterable[str], open_pull_requests: Collection[int], state: EnvironmentState
) -> tuple[str, ...]:
    """Return the schemas of closed pull requests and of releases that no rollback leads to.

    Args:
        schemas: All schemas of the database; what is of neither kind is left alone.
        open_pull_requests: Numbers of the pull requests that are open.
        state: What runs, ran before, or is under way.
    """
    needed = {short(deployed.release.digest) for deployed in state.lineage[-2:]}
    if state.unfinished is not None:
        needed.add(short(state.unfinished.release.digest))
        needed |= {short(one.release.digest) for one in state.unfinished.lineage_before[-2:]}
    stale = []
    for schema in schemas:
        pull_request, release = _OF_PULL_REQUEST.fullmatch(schema), _OF_RELEASE.fullmatch(schema)
        closed = pull_request and int(pull_request["number"]) not in open_pull_requests
        gone = release and release["digest"].lower() not in needed
        if closed or gone:
            stale.append(schema)
    return tuple(sorted(stale))
