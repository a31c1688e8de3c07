"""The program of each cloud environment, captured once for all tests of this folder."""

import pytest

from olist_platform.environment import load_environment
from olist_platform.infrastructure_plan.captured_program import capture_program
from olist_platform.infrastructure_plan.captured_resources import CapturedProgram
from olist_platform.naming import EnvironmentName


@pytest.fixture(scope="session")
def dev() -> CapturedProgram:
    return capture_program(load_environment(EnvironmentName.DEV))


@pytest.fixture(scope="session")
def prod() -> CapturedProgram:
    return capture_program(load_environment(EnvironmentName.PROD))
