"""The columns and types that consumers may rely on, as a file that only a decision changes.

Contracts hold every model to its YAML; the baseline holds the YAML to what was decided, so that a
column cannot go or change its type by accident. `make baseline` writes it anew; the difference is
then read in review.
"""

from collections.abc import Iterator
from pathlib import Path

import yaml

from olist_platform.dbt_command import dbt_project_folder
from yaml_files import read_yaml

BASELINE = Path(__file__).resolve().parents[1] / "dbt_project" / "schema_baseline.yml"

Schema = dict[str, dict[str, str]]

_HEADER = "# Columns and types of every model. Written by `make baseline`; read the difference.\n"


def contracted_schema() -> Schema:
    """Return the type of each column of each model, as its contract says."""
    schema = {}
    for path in (dbt_project_folder() / "models").rglob("*.yml"):
        for model in read_yaml(path).get("models", []):
            schema[model["name"]] = {
                column["name"]: column["data_type"] for column in model["columns"]
            }
    return dict(sorted(schema.items()))


def read_baseline() -> Schema:
    """Return what was decided."""
    schema: Schema = read_yaml(BASELINE)
    return schema


def write_baseline() -> None:
    """Make today's contracts what is decided."""
    text = yaml.safe_dump(contracted_schema(), sort_keys=False, width=100)
    BASELINE.write_text(_HEADER + text, encoding="utf-8")


def differences(decided: Schema, actual: Schema) -> Iterator[str]:
    """Yield a sentence for each model and column that is not as decided."""
    for model in sorted(decided.keys() | actual.keys()):
        if model not in actual:
            yield f"model {model} is gone"
        elif model not in decided:
            yield f"model {model} is new"
        else:
            for column in {**decided[model], **actual[model]}:
                before, after = decided[model].get(column), actual[model].get(column)
                if after is None:
                    yield f"{model}.{column} ({before}) is gone"
                elif before is None:
                    yield f"{model}.{column} ({after}) is new"
                elif before != after:
                    yield f"{model}.{column} was {before} and is {after}"


if __name__ == "__main__":
    write_baseline()
