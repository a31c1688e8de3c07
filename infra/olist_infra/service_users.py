"""The service users: a key pair, from known networks, one role each, and no other way in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_snowflake as snowflake
from pydantic import IPvAnyNetwork

from olist_infra.stack_config import StackConfig
from olist_platform.access_model import FunctionalRole
from olist_platform.naming import Names, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUsersArgs:
    """Who, with which role and key, from where.

    Attributes:
        names: Names of the environment.
        roles: The functional roles that a program holds.
        role_names: Their names, by the model's name.
        config: Public keys.
        database: The database.
        schemas: The schemas, by layer or governance.
        governance_schema: Schema of network rule and authentication policy.
        warehouses: The warehouses, by workload.
        allowed_networks: From where they may log in.
    """

    names: Names
    roles: Sequence[FunctionalRole]
    role_names: Mapping[str, pulumi.Input[str]]
    config: StackConfig
    database: pulumi.Input[str]
    schemas: Mapping[str, pulumi.Output[str]]
    governance_schema: pulumi.Input[str]
    warehouses: Mapping[Workload, pulumi.Input[str]]
    allowed_networks: Sequence[IPvAnyNetwork]


class ServiceUsers(pulumi.ComponentResource):
    """Service users and the policies that hold them.

    Attributes:
        by_role: Output of each one's name, by the model's name of its role.
    """

    def __init__(
        self, name: str, args: ServiceUsersArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:snowflake:ServiceUsers", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        rule = snowflake.NetworkRule(
            "services",
            name="SERVICE_NETWORKS",
            database=args.database,
            schema=args.governance_schema,
            type="IPV4",
            mode="INGRESS",
            value_lists=[str(network) for network in args.allowed_networks],
            comment="From where service users log in",
            opts=self._child,
        )
        self._network_policy = snowflake.NetworkPolicy(
            "services",
            name=args.names.network_policy,
            allowed_network_rule_lists=[rule.fully_qualified_name],
            comment="Service users; never the whole account, which it could lock out",
            opts=self._child,
        ).name
        self._authentication_policy = snowflake.AuthenticationPolicy(
            "services",
            name="SERVICE_KEY_PAIRS",
            database=args.database,
            schema=args.governance_schema,
            authentication_methods=["KEYPAIR"],
            comment="Service users log in with a key pair and nothing else",
            opts=self._child,
        ).fully_qualified_name
        self.by_role = {role.name: self._make_user(role) for role in args.roles}
        self.register_outputs({"users": self.by_role})

    def _make_user(self, role: FunctionalRole) -> pulumi.Output[str]:
        args, service = self._args, role.service
        if service is None:
            raise ValueError(f"no program holds the role {role.name}")
        keys = args.config.keys_of(role.name)
        role_name = args.role_names[role.name]
        namespace = [args.database, *([args.schemas[service.schema]] if service.schema else [])]
        user_name = args.names.service_user(role.name)
        user = snowflake.ServiceUser(
            role.name,
            name=user_name,
            login_name=user_name,
            comment=role.purpose,
            default_role=role_name,
            default_warehouse=args.warehouses[service.warehouse],
            default_namespace=pulumi.Output.all(*namespace).apply(".".join),
            default_secondary_roles_option="NONE",
            rsa_public_key=keys.current,
            rsa_public_key2=keys.following,
            network_policy=self._network_policy,
            # An account's own defaults would decide on which day a week begins, and whether
            # timestamps move with the session's time zone.
            week_start=1,
            timestamp_type_mapping="TIMESTAMP_NTZ",
            timezone="UTC",
            opts=self._child,
        )
        # A default role is not a grant of it.
        snowflake.GrantAccountRole(
            f"{role.name}-user", role_name=role_name, user_name=user.name, opts=self._child
        )
        snowflake.UserAuthenticationPolicyAttachment(
            role.name,
            authentication_policy_name=self._authentication_policy,
            user_name=user.name,
            opts=self._child,
        )
        return user.name
