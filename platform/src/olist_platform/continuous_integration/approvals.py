"""Approvals that people gave as labels of pull requests."""

from olist_platform.continuous_integration.github import GitHub
from olist_platform.environment import Environment, load_environment
from olist_platform.release.deployment_record import environment_record
from olist_platform.release.git_tree import commits_between
from olist_platform.release.promotion import Approval
from olist_platform.repository import repository_root


def approving_labels(
    environment: Environment, digest: str | None, repository: str
) -> tuple[str, ...]:
    """Return the approvals among the labels of what a promotion would bring in.

    Args:
        environment: Where to.
        digest: Digest that is asked for; None for what is green.
        repository: `<owner>/<name>` on GitHub.

    Raises:
        OlistError: GitHub or a record is out of reach.
    """
    source = environment.releases.promotes_from
    current = environment_record(environment).state().current
    if source is None or current is None:
        return ()
    candidates = environment_record(load_environment(source)).state().lineage
    wanted = [
        deployed.release.commit
        for deployed in candidates
        if digest in {None, deployed.release.digest}
    ]
    if not wanted:
        return ()
    commits = commits_between(repository_root(), current.release.commit, wanted[-1])
    labels = GitHub(repository).labels_of(commit.sha for commit in commits)
    return tuple(label for label in labels if label in set(Approval))
