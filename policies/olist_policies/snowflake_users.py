"""Service users: a key pair, from known networks, and nothing else."""

import ipaddress
from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs

from olist_policies.rule import resource_rule, stack_rule
from olist_policies.snowflake_identifiers import last_part, parts
from olist_policies.snowflake_types import (
    AUTHENTICATION_POLICY,
    NETWORK_POLICY,
    NETWORK_RULE,
    SERVICE_USER,
    USER_AUTHENTICATION_POLICY,
)
from olist_policies.stack_view import StackView, environment_of, plain

_STRONG_METHODS = {"KEYPAIR", "WORKLOAD_IDENTITY"}
# A shorter prefix than this is no company's network.
_SHORTEST_PREFIX = 16


@resource_rule(
    "service-user-has-key-pair",
    SERVICE_USER,
    reason="A service without a key falls back on a secret that people can read and type.",
    mend="set rsa_public_key (base64 without PEM header), or a default_workload_identity",
)
def service_user_has_key_pair(user: ResourceValidationArgs) -> Iterator[str]:
    """A public key without its PEM header, or a workload identity."""
    keys = [user.props.get("rsaPublicKey"), user.props.get("rsaPublicKey2")]
    if not any(keys) and not user.props.get("defaultWorkloadIdentity"):
        yield "it has neither a public key nor a workload identity"
    for key in filter(None, keys):
        if "BEGIN" in key or any(character.isspace() for character in key):
            yield "its key has a PEM header or line breaks, which Snowflake refuses"


@resource_rule(
    "no-password-user",
    "snowflake:index/legacyServiceUser:LegacyServiceUser",
    "snowflake:index/user:User",
    "snowflake:index/userProgrammaticAccessToken:UserProgrammaticAccessToken",
    reason="Passwords and long-lived tokens leak; people come by single sign-on, not by code.",
    mend="use a ServiceUser with a key pair",
)
def no_password_user(resource: ResourceValidationArgs) -> Iterator[str]:
    """No user type that takes a password, and no access token."""
    yield f"{resource.resource_type.rsplit(':', 1)[1]} logs in with more than a key pair"


@stack_rule(
    "service-user-authenticates-strongly",
    reason="Without an authentication policy a service user may log in by any method and client.",
    mend="attach an AuthenticationPolicy with methods KEYPAIR or WORKLOAD_IDENTITY only",
)
def service_user_authenticates_strongly(stack: StackView) -> Iterator[tuple[str, str]]:
    """Each service user has an authentication policy of this stack, of strong methods only."""
    methods = {
        parts(policy.props.get("name"))[-1:]: set(plain(policy.props["authenticationMethods"]))
        for policy in stack.of_type(AUTHENTICATION_POLICY)
    }
    for user in stack.of_type(SERVICE_USER):
        attachments = stack.companions(user, USER_AUTHENTICATION_POLICY, "userName")
        if not attachments:
            yield user.urn, "no authentication policy is attached"
        for attachment in attachments:
            name = parts(attachment.props["authenticationPolicyName"])[-1:]
            allowed = methods.get(name, {"ALL"})
            if not allowed <= _STRONG_METHODS:
                yield user.urn, f"it may authenticate by {', '.join(sorted(allowed))}"


@stack_rule(
    "service-user-behind-network-policy",
    reason="A stolen key works from anywhere unless a network policy says from where.",
    mend="set network_policy of the service user to a NetworkPolicy of this stack",
)
def service_user_behind_network_policy(stack: StackView) -> Iterator[tuple[str, str]]:
    """Each service user names a network policy of this stack."""
    names = {last_part(policy.props.get("name")) for policy in stack.of_type(NETWORK_POLICY)}
    for user in stack.of_type(SERVICE_USER):
        policy = user.props.get("networkPolicy")
        if not policy:
            yield user.urn, "it has no network policy"
        elif last_part(policy) not in names:
            yield user.urn, f"the stack has no network policy {policy}"


@resource_rule(
    "network-not-open",
    NETWORK_RULE,
    NETWORK_POLICY,
    reason="A rule for most of the internet is no rule.",
    mend=f"list networks with a prefix of /{_SHORTEST_PREFIX} or longer in the environment's file",
)
def network_not_open(resource: ResourceValidationArgs) -> Iterator[str]:
    """No ingress from networks larger than an organization's."""
    listed = [
        *(resource.props.get("valueLists") or ()),
        *(resource.props.get("allowedIpLists") or ()),
    ]
    if resource.props.get("type", "IPV4") not in {"IPV4", "IPV6"}:
        return
    for value in listed:
        network = ipaddress.ip_network(value, strict=False)
        if network.prefixlen < _SHORTEST_PREFIX:
            yield f"it lets {value} in"


@resource_rule(
    "network-from-environment",
    NETWORK_RULE,
    reason="A network that only the code knows is missed when the environment's file is reviewed.",
    mend="add it to cloud.snowflake.allowed_networks of the environment's file, or take it out",
)
def network_from_environment(rule: ResourceValidationArgs) -> Iterator[str]:
    """Ingress comes from networks that the environment's file allows."""
    cloud = environment_of(rule.urn).cloud
    if cloud is None or rule.props.get("type") != "IPV4" or rule.props.get("mode") != "INGRESS":
        return
    allowed = {str(network) for network in cloud.snowflake.allowed_networks}
    for value in rule.props["valueLists"]:
        if str(ipaddress.ip_network(value, strict=False)) not in allowed:
            yield f"{value} is not among the environment's allowed networks"


RULES = (
    service_user_has_key_pair,
    no_password_user,
    service_user_authenticates_strongly,
    service_user_behind_network_policy,
    network_not_open,
    network_from_environment,
)
