"""Workflows: their form, their security, and that everything they call is there."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer.main
from click.testing import CliRunner, Result
from typer.core import TyperGroup
from typer.testing import CliRunner as TyperRunner

from olist_platform.cli.main import app
from olist_platform.environment import load_environment
from olist_platform.naming import EnvironmentName
from olist_workspace import ROOT
from yaml_files import read_yaml

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
TOOLS = Path(sys.executable).parent
CHECK_JSONSCHEMA = import_module("check_jsonschema").main
SHA_PIN = re.compile(r"uses: (?P<action>[\w.-]+/[\w./-]+)@[0-9a-f]{40} # v\d+(\.\d+)*$")
DEPLOYING = ("olist release deploy", "olist ci promote", "olist release rollback")
# What a workflow may call besides our own commands: the shell's own way to hand on an output.
COMMAND = re.compile(r"(?:\.venv/bin/)?(olist|make) ([^|)>]*)")


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = read_yaml(path)
    return content


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in read(path)["jobs"].items():
            yield f"{path.stem}/{name}", job


def runs() -> Iterator[tuple[str, str]]:
    """Every shell step, with where it stands."""
    for name, job in jobs():
        yield from ((name, step["run"]) for step in job["steps"] if "run" in step)
    for path in ACTIONS:
        steps = read(path)["runs"]["steps"]
        yield from ((path.parent.name, step["run"]) for step in steps if "run" in step)


JOBS = dict(jobs())
RUNS = list(runs())
RUN_IDS = [f"{where}-{number}" for number, (where, _) in enumerate(RUNS)]


def test_there_are_the_workflows_that_the_documents_name() -> None:
    assert {path.stem for path in WORKFLOWS} == {
        "pull-request",
        "merge",
        "promote-production",
        "rollback",
        "nightly",
    }
    assert len(RUNS) > 20


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.github-actions", ACTIONS),
        ("vendor.dependabot", [GITHUB / "dependabot.yml"]),
    ],
)
def test_forms_are_githubs(schema: str, files: list[Path], tmp_path: Path) -> None:
    def check(*paths: Path) -> Result:
        # Starting the program takes longer than what it does.
        return CliRunner().invoke(CHECK_JSONSCHEMA, ["--builtin-schema", schema, *map(str, paths)])

    checked = check(*files)
    assert checked.exit_code == 0, checked.output
    broken = tmp_path / files[0].name
    broken.write_text(files[0].read_text().replace("uses:", "use:").replace("version:", "v:"))
    assert check(broken).exit_code != 0


def test_zizmor_finds_nothing_and_would(tmp_path: Path) -> None:
    check = [str(TOOLS / "zizmor"), "--offline", "--quiet", "--no-progress"]
    found = subprocess.run([*check, str(GITHUB)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
    faulty = tmp_path / "faulty.yml"
    faulty.write_text(
        "on: pull_request_target\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - uses: actions/checkout@v4\n"
        "      - run: echo ${{ github.event.pull_request.title }}\n"
    )
    found = subprocess.run([*check, str(faulty)], capture_output=True, text=True, check=False)
    assert found.returncode != 0
    for rule in ("template-injection", "dangerous-triggers", "unpinned-uses"):
        assert rule in found.stdout


@pytest.mark.parametrize(("where", "script"), RUNS, ids=RUN_IDS)
def test_every_step_is_a_command_of_ours_that_exists(where: str, script: str) -> None:
    commands = COMMAND.findall(script)
    assert len(commands) == 1, f"{where}: {script}"
    [(tool, rest)] = commands
    words = [word.strip("\"'") for word in rest.split()]
    if tool == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert words[0] in re.findall(r"^([a-z-]+):", makefile, re.MULTILINE), where
        return
    command = typer.main.get_command(app)
    while isinstance(command, TyperGroup):
        assert words[0] in command.commands, f"{where}: {script}"
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known, f"{where}: {script}"
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = sum(word.startswith("--") for word in words)
    given = len(words) - 2 * options
    assert given >= sum(one.required for one in arguments), f"{where}: {script}"


@pytest.mark.parametrize(("where", "script"), RUNS, ids=RUN_IDS)
def test_a_step_fails_where_its_command_does(where: str, script: str, tmp_path: Path) -> None:
    for path in (tmp_path / ".venv" / "bin" / "olist", tmp_path / "make"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\nexit 3\n")
        path.chmod(0o755)
    variables = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    # As GitHub starts a script that names no shell.
    command = ["bash", "-e", "-c", script]
    ended = subprocess.run(command, cwd=tmp_path, env=variables, check=False)
    assert ended.returncode == 3, where


def test_every_local_path_that_is_used_is_there() -> None:
    used = {step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step}
    local = {path for path in used if path.startswith("./")}
    assert local == {f"./{path.parent.relative_to(ROOT)}" for path in ACTIONS}
    owners = (GITHUB / "CODEOWNERS").read_text().splitlines()
    paths = [line.split()[0] for line in owners if line.startswith("/")]
    assert paths
    assert all((ROOT / path.strip("/")).exists() for path in paths)
    for update in read(GITHUB / "dependabot.yml")["updates"]:
        for folder in update.get("directories", [update.get("directory")]):
            assert folder == "/" or list(ROOT.glob(folder.strip("/"))), folder


def test_inputs_of_our_actions_are_given_and_known() -> None:
    inputs = {
        f"./{path.parent.relative_to(ROOT)}": set(read(path).get("inputs", {})) for path in ACTIONS
    }
    used = set()
    for name, job in JOBS.items():
        for step in job["steps"]:
            if step.get("uses", "").startswith("./"):
                used.add(step["uses"])
                assert set(step.get("with", {})) == inputs[step["uses"]], name
    assert used == set(inputs)


@pytest.mark.parametrize(
    "path", [*WORKFLOWS, *ACTIONS], ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_actions_of_others_are_pinned_with_their_version(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    foreign = [line for line in lines if "uses:" in line and "./" not in line]
    assert all(SHA_PIN.search(line) for line in foreign), foreign
    text = path.read_text(encoding="utf-8")
    for action in {match["action"] for line in foreign if (match := SHA_PIN.search(line))}:
        assert len(set(re.findall(rf"{re.escape(action)}@(\w+)", text))) == 1


def test_every_job_has_an_end_and_no_right_it_does_not_name() -> None:
    for path in WORKFLOWS:
        assert read(path)["permissions"] == {}, path
    for name, job in JOBS.items():
        assert 0 < job["timeout-minutes"] <= 180, name
        assert job["permissions"]["contents"] == ("write" if name.endswith("/notes") else "read")
        signs_in = any("cloud-access" in step.get("uses", "") for step in job["steps"])
        assert ("id-token" in job["permissions"]) == signs_in, name
        # A job that may sign in runs in an environment, whose rules say who may start it, and where
        # Snowflake's network policy lets it in.
        assert ("environment" in job) == signs_in, name
        assert ("vars.CLOUD_RUNNER ||" in job["runs-on"]) == signs_in, name


def test_credentials_hold_as_long_as_their_job_may_run() -> None:
    action = (GITHUB / "actions" / "cloud-access" / "action.yml").read_text(encoding="utf-8")
    assert "role-duration-seconds: ${{ steps.place.outputs.seconds }}" in action
    roles = {
        name: step["with"]["role"]
        for name, job in JOBS.items()
        for step in job["steps"]
        if step.get("uses") == "./.github/actions/cloud-access"
    }
    assert {"merge/dev", "promote-production/promote", "rollback/rollback"} <= roles.keys()
    for name, role in roles.items():
        printed = TyperRunner().invoke(app, ["ci", "cloud", "prod", "--role", role])
        [seconds] = re.findall(r"^seconds=(\d+)$", printed.output, re.MULTILINE)
        assert JOBS[name]["timeout-minutes"] * 60 <= int(seconds), name


def test_one_deployment_at_a_time_and_none_is_cancelled() -> None:
    deploying = {
        name: job
        for name, job in JOBS.items()
        if any(command in step.get("run", "") for step in job["steps"] for command in DEPLOYING)
    }
    assert set(deploying) == {"merge/dev", "promote-production/promote", "rollback/rollback"}
    groups = {name: job["concurrency"]["group"] for name, job in deploying.items()}
    assert groups == {
        "merge/dev": "deploy-dev",
        "promote-production/promote": "deploy-prod",
        "rollback/rollback": "deploy-${{ inputs.environment }}",
    }
    assert all(job["concurrency"]["cancel-in-progress"] is False for job in deploying.values())
    # Else whatever comes next to the same environment, the nightly's too, takes the place of a
    # rollback or a deployment that waits.
    sharing = [
        job["concurrency"]
        for job in JOBS.values()
        if str(job.get("concurrency", {}).get("group")).startswith("deploy-")
    ]
    assert [one["queue"] for one in sharing] == ["max"] * 4
    # Of two merges the later one's bundle may be built first: the whole run waits, not one job.
    merge = read(GITHUB / "workflows" / "merge.yml")
    assert merge["concurrency"] == {"group": "merge", "cancel-in-progress": False}


def test_github_environments_are_those_whose_jobs_aws_lets_in() -> None:
    settings = {
        name: load_environment(name).cloud for name in (EnvironmentName.DEV, EnvironmentName.PROD)
    }
    names = {str(name): cloud.github.environment for name, cloud in settings.items() if cloud}
    assert JOBS["merge/dev"]["environment"] == names["dev"]
    assert JOBS["promote-production/promote"]["environment"] == names["prod"]
    rollback = JOBS["rollback/rollback"]["environment"]
    assert f"'{names['prod']}' || '{names['dev']}'" in rollback


def test_a_pull_request_has_no_secret_and_no_cloud() -> None:
    text = (GITHUB / "workflows" / "pull-request.yml").read_text(encoding="utf-8")
    assert "secrets." not in text
    assert "id-token" not in text
    assert "environment:" not in text
    assert "pull_request_target" not in text
    for path in WORKFLOWS:
        assert "secrets." not in path.read_text(encoding="utf-8"), path


def test_the_bundle_is_built_once() -> None:
    building = [where for where, script in RUNS if "olist release build" in script]
    assert building == ["merge/bundle"]
