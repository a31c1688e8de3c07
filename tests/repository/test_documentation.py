"""Every path, make target and olist command that the documents name exists."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from olist_platform.access_model import DATA_ENGINEER, DEPLOYER_ROLE, FUNCTIONAL_ROLES, reads
from olist_platform.cli.main import app
from olist_platform.naming import EnvironmentName, Layer, Names, Workload
from olist_workspace import ROOT

DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "environments").glob("*.md"),
        *(ROOT / "platform" / "docs").rglob("*.md"),
        *(ROOT / "dbt").glob("*.md"),
        *(ROOT / "infra").glob("*.md"),
    ]
)
OPERATIONS = (
    "adding-a-dataset",
    "adding-a-role",
    "destroying-dev",
    "disaster-recovery",
    "dropping-a-masking-policy",
    "failed-release",
    "first-stand-up",
    "github",
    "hotfix",
    "importing-existing-objects",
    "key-rotation",
    "release",
    "rollback",
    "running-airflow",
)
CODE = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELL = ("bash", "console", "sh")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
SECTION_LINK = re.compile(r"\]\(([^)#\s]*)#([a-z][^)]*)\)")
# Made by running the platform, or lying beside the checkout.
NOT_IN_A_CHECKOUT = ("data/", ".venv", "../", "~", "http", "/")


def shell_lines(text: str) -> list[str]:
    blocks = [block for language, block in BLOCK.findall(text) if language in SHELL]
    return [line for block in blocks for line in block.splitlines() if line]


def command_lines(text: str) -> list[str]:
    lines = shell_lines(text)
    return [line.split("#")[0].strip() for line in [*lines, *CODE.findall(text)]]


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in LINK.findall(text):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target
    for code in CODE.findall(text):
        looks_like_path = re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", code) and "/" in code
        if looks_like_path and not code.startswith(NOT_IN_A_CHECKOUT):
            assert (ROOT / code).exists() or (document.parent / code).exists(), code


def anchors(document: Path) -> set[str]:
    """Return what GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_sections_lead_to_a_heading(document: Path) -> None:
    for target, anchor in SECTION_LINK.findall(document.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert anchor in anchors(document.parent / target if target else document), anchor


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_exist(document: Path) -> None:
    for line in command_lines(document.read_text(encoding="utf-8")):
        if line.startswith("make "):
            words = [word for word in shlex.split(line)[1:] if "=" not in word and word.islower()]
            assert set(words) <= make_targets(), line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_olist_commands_and_options_exist(document: Path) -> None:
    for line in command_lines(document.read_text(encoding="utf-8")):
        if line.startswith(("olist ", ".venv/bin/olist ")):
            check_olist_command(line)


def check_olist_command(line: str) -> None:
    command = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        assert words[0] in command.commands, line
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    own = words[: words.index("--")] if "--" in words else words
    assert {word.split("=")[0] for word in own if re.match(r"--?[a-z]", word)} <= known, line


def test_every_page_on_operations_is_linked_and_says_what_could_not_be_run() -> None:
    docs = ROOT / "platform" / "docs"
    pages = {f"operations/{page.name}" for page in (docs / "operations").glob("*.md")}
    assert pages == {f"operations/{name}.md" for name in OPERATIONS}
    linked = LINK.findall((docs / "README.md").read_text(encoding="utf-8"))
    assert pages <= set(linked)
    for page in pages:
        text = (docs / page).read_text(encoding="utf-8")
        assert "what could not be run here" in text.lower(), page
        assert len(text.lower().split("what could not be run here")[1]) > 100, page


def test_names_of_objects_in_the_pages_on_operations_are_the_models() -> None:
    names = Names(EnvironmentName.DEV)
    known = {
        names.database,
        names.deploy_warehouse,
        names.deployer_network_policy,
        *(names.functional_role(role.name) for role in FUNCTIONAL_ROLES),
        *(names.service_user(role.name) for role in FUNCTIONAL_ROLES),
        names.functional_role(DEPLOYER_ROLE),
        names.service_user(DEPLOYER_ROLE),
        *(names.warehouse(workload) for workload in Workload),
    }
    for page in (ROOT / "platform" / "docs" / "operations").glob("*.md"):
        for name in re.findall(
            r"\b(?:(?:FR|SVC)__)?OLIST_DEV(?:_[A-Z_]*[A-Z])?\b", page.read_text()
        ):
            assert name in known, f"{page.name}: {name}"


def test_the_documents_name_what_a_newcomer_runs_first() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = shell_lines(readme)
    assert lines[0].startswith("make demo")
    assert lines[1].startswith("make test")


def test_make_help_lists_every_target() -> None:
    printed = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    # Colours are for a screen.
    assert "\x1b" not in printed
    listed = set(re.findall(r"make ([a-z-]+)", printed))
    assert listed == make_targets()


def test_runbooks_send_people_to_a_role_that_may_ask() -> None:
    """`olist query --working` asks every layer; on Snowflake data engineers may, reporters not."""
    assert {reads(layer) for layer in Layer} <= set(DATA_ENGINEER.holds)
    engineer = Names(EnvironmentName.PROD).functional_role(DATA_ENGINEER.name)
    sent = re.compile(r"On Snowflake, where `olist query` does not reach, [^.]*? as `(\w+)`")
    asking = 0
    for page in sorted((ROOT / "platform" / "docs" / "runbooks").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if "olist query --working" in text and "On Snowflake, where `olist query`" in text:
            [role] = sent.findall(text)
            assert role == engineer, page
            asking += 1
    assert asking > 0


def test_no_page_has_a_private_key_copied_to_github() -> None:
    """Its jobs read keys from Secrets Manager; the deployer's opens the whole account."""
    workflows = list((ROOT / ".github").rglob("*.yml"))
    assert not [one for one in workflows if "PRIVATE_KEY" in one.read_text(encoding="utf-8")]
    pages = list((ROOT / "platform" / "docs").rglob("*.md"))
    assert not [one for one in pages if "gh secret set" in one.read_text(encoding="utf-8")]
