"""Approvals that people gave as labels of pull requests."""

from collections.abc import Callable

from olist_platform.continuous_integration.github import GitHub
from olist_platform.environment import Environment, load_environment
from olist_platform.release.deployment_record import environment_record
from olist_platform.release.git_tree import commits_between, knows_commit
from olist_platform.release.promotion import Approval
from olist_platform.repository import repository_root


def approving_labels(
    environment: Environment, digest: str | None, repository: str, warn: Callable[[str], None]
) -> tuple[str, ...]:
    """Return the approvals among the labels of what a promotion would bring in.

    Args:
        environment: Where to.
        digest: Digest that is asked for, or its beginning; None for what is green.
        repository: `<owner>/<name>` on GitHub.
        warn: Told why no label can be read, where that is so.

    Raises:
        OlistError: GitHub or a record is out of reach.
    """
    source = environment.releases.promotes_from
    current = environment_record(environment).state().current
    if source is None or current is None:
        return ()
    candidates = environment_record(load_environment(source)).state().lineage
    wanted = [
        deployed.release
        for deployed in candidates
        if digest is None or deployed.release.digest.startswith(digest)
    ]
    if not wanted:
        return ()
    clone = repository_root()
    for release in (current.release, wanted[-1]):
        if not knows_commit(clone, release.commit):
            warn(
                f"release {release} is of no branch any more, so no label is read; what needs an"
                f" approval: olist release promote {environment.name} --approve …"
            )
            return ()
    commits = commits_between(clone, current.release.commit, wanted[-1].commit)
    labels = GitHub(repository).labels_of(commit.sha for commit in commits)
    return tuple(label for label in labels if label in set(Approval))
