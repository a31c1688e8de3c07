"""dbt that has parsed a small project as soon as this is imported, for the server that forks it.

In its first parse a process makes a schema of each kind of resource, and code that reads and writes
it. That takes four times as long as parsing a small project, and every fork would do it again.
Forks also go without Python's search for cyclic garbage: it takes a quarter of the time of a small
run, looking again and again through modules and a manifest that stay until the process ends.
"""

import gc
import os
import tempfile
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner
from dbt.clients import jinja_static
from dbt.parser import models, unit_tests

_FILES = {
    "dbt_project.yml": "{name: exercise, version: 1.0.0, profile: exercise}",
    "profiles.yml": """
exercise:
  target: exercise
  outputs: {exercise: {type: duckdb, path: ":memory:"}}
""",
    "macros/one.sql": "{% macro one() %}1{% endmacro %}",
    "seeds/numbers.csv": "number\n1\n",
    "models/counted.sql": (
        "select number from {{ ref('numbers') }} union all"
        " select number from {{ source('raw', 'numbers') }}"
    ),
    "tests/counted_is_one.sql": "select * from {{ ref('counted') }} where number <> {{ one() }}",
    "snapshots/history.sql": (
        "{% snapshot history %}"
        "{{ config(unique_key='number', strategy='check', check_cols='all') }}"
        "select * from {{ ref('counted') }}{% endsnapshot %}"
    ),
    "models/counted.md": "{% docs number %}A number.{% enddocs %}",
    "models/properties.yml": """
groups: [{name: people, owner: {name: People}}]
exposures: [{name: page, type: dashboard, owner: {name: People}}]
sources: [{name: raw, tables: [{name: numbers, columns: [{name: number}]}]}]
seeds: [{name: numbers, config: {column_types: {number: integer}}}]
macros: [{name: one, description: One.}]
models:
  - name: counted
    config: {group: people, access: public, contract: {enforced: true}, tags: [exercise]}
    columns:
      - {name: number, data_type: integer, description: "{{ doc('number') }}", data_tests: [unique]}
""",
}


def _parse_a_small_project() -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("DBT_")]:
            patch.delenv(name)
        patch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
        for module in (jinja_static, models, unit_tests):
            patch.setattr(module, "py_extract_from_source", _refuse)
        for name, content in _FILES.items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")
        places = [f"--{kind}-dir={folder}" for kind in ("project", "profiles")]
        arguments = ["--quiet", "--log-level-file=none", *places, f"--log-path={folder}"]
        # The second time it reads what it has parsed.
        for _ in range(2):
            result = dbtRunner().invoke(["parse", "--no-static-parser", *arguments])
            assert result.success, result.exception


def _refuse(*_: object) -> None:
    """Stand for dbt's static parser, which also reads references in unit tests and YAML."""
    raise AssertionError("it starts threads, and forks that lack them would wait for them for ever")


_parse_a_small_project()
gc.disable()
