"""The Pulumi program: stands up the environment that the stack is named after."""

import pulumi

from olist_infra.environment_stack import EnvironmentStack, EnvironmentStackArgs
from olist_infra.stack_config import read_stack_config
from olist_platform.environment import load_environment, parse_environment_name

environment = load_environment(parse_environment_name(pulumi.get_stack()))
stack = EnvironmentStack(
    "environment", EnvironmentStackArgs(environment=environment, config=read_stack_config())
)
for key, value in stack.exports.items():
    pulumi.export(key, value)
