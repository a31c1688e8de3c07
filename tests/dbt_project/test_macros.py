"""What staging's macros answer, exactly: keys, distances, scores, and the mistakes they refuse."""

import hashlib
import json
import math
from typing import Any

import pytest

from compiled_project import workspace_with_reduced_dbt
from olist_workspace import Workspace

pytestmark = pytest.mark.slow

EARTH_RADIUS_KM = 6371.0088

SAO_PAULO = (-23.5505, -46.6333)
PLACES = {
    "itself": SAO_PAULO,
    "rio_de_janeiro": (-22.9068, -43.1729),
    "manaus": (-3.119, -60.0217),
    "lisbon": (38.7223, -9.1393),
    "antipode": (23.5505, 133.3667),
    "north_pole": (90.0, 17.0),
}

# Two texts and a number or null; equal tuples and no others have equal keys.
KEYS: dict[str, tuple[str | None, ...]] = {
    "a_bc": ("a", "bc"),
    "ab_c": ("ab", "c"),
    "with_separator": ("a|2:bc", ""),
    "null_first": (None, "abc"),
    "empty_first": ("", "abc"),
    "null_last": ("abc", None),
    "empty_last": ("abc", ""),
    "word_null": ("null", "abc"),
    "accents": ("São", "Paulo"),
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace_with_reduced_dbt(tmp_path_factory.mktemp("macros"))


def answers(workspace: Workspace, expressions: dict[str, str]) -> dict[str, Any]:
    """Each expression's value, by its name, from one query of dbt's."""
    columns = ", ".join(f"{sql} as {name}" for name, sql in expressions.items())
    printed = workspace.olist(
        "dbt", "--", "show", "--quiet", "--output", "json", "--limit", "-1", "--inline",
        f"select {columns}",
    )  # fmt: skip
    (row,) = json.loads(printed)["show"]
    return dict(row)


def literal(value: str | None) -> str:
    return "null" if value is None else f"'{value}'"


def expected_key(*values: str | None) -> str:
    text = "|".join("null" if value is None else f"{len(value)}:{value}" for value in values)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_keys_tell_every_combination_apart(workspace: Workspace) -> None:
    found = answers(
        workspace,
        {
            name: '{{ surrogate_key(["' + literal(one) + '", "' + literal(other) + '"]) }}'
            for name, (one, other) in KEYS.items()
        },
    )
    assert found == {name: expected_key(*values) for name, values in KEYS.items()}
    assert len(set(found.values())) == len(KEYS)


# Of the spaces that DuckDB alone would take the ideographic one stays.
TRIMMED = {
    "blanks": ("'  a b '", "a b"),
    "no_break_spaces": ("chr(160) || 'a b ' || chr(160)", "a b"),
    "ideographic_space": ("'a' || chr(12288)", "a\u3000"),
    "tab_and_line_break": ("chr(9) || 'a' || chr(13) || chr(10)", "a"),
}


def test_the_same_spaces_are_trimmed_on_both_engines(workspace: Workspace) -> None:
    expressions = {name: f'{{{{ trimmed("{sql}") }}}}' for name, (sql, _) in TRIMMED.items()}
    assert answers(workspace, expressions) == {name: text for name, (_, text) in TRIMMED.items()}


def spherical_law_of_cosines(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The distance by another formula, which is exact enough for points that are not neighbours."""
    (lat1, lng1), (lat2, lng2) = (tuple(map(math.radians, point)) for point in (one, other))
    cosine = math.sin(lat1) * math.sin(lat2)
    cosine += math.cos(lat1) * math.cos(lat2) * math.cos(lng1 - lng2)
    return EARTH_RADIUS_KM * math.acos(max(-1.0, min(1.0, cosine)))


def test_distances_are_the_great_circles(workspace: Workspace) -> None:
    expressions = {
        name: f"{{{{ haversine_km({SAO_PAULO[0]}, {SAO_PAULO[1]}, {lat}, {lng}) }}}}"
        for name, (lat, lng) in PLACES.items()
    }
    expressions["unknown"] = '{{ haversine_km("null", 0, 1, 1) }}'
    found = answers(workspace, expressions)
    assert found.pop("unknown") is None
    assert found["itself"] == 0
    assert found["antipode"] == pytest.approx(math.pi * EARTH_RADIUS_KM, abs=0.001)
    for name, place in PLACES.items():
        assert found[name] == pytest.approx(spherical_law_of_cosines(SAO_PAULO, place), abs=0.001)


def test_credits_are_those_of_the_warehouses_own_size(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "OLIST_SNOWFLAKE_WAREHOUSE_SIZES", '{"BIG_WH": "MEDIUM", "SLOW_WH": "XSMALL"}'
    )
    cost = "snowflake__node_cost({'config': {'snowflake_warehouse': '%s'}}, 1800)"
    expressions = {
        f"{name}_{figure}": f"'{{{{ {cost % f'{name}_wh'}.{figure} }}}}'"
        for name in ("big", "slow", "unknown")
        for figure in ("warehouse_size", "credits_estimated")
    }
    assert answers(workspace, expressions) == {
        "big_warehouse_size": "MEDIUM", "big_credits_estimated": "2.000000000",
        "slow_warehouse_size": "XSMALL", "slow_credits_estimated": "0.500000000",
        "unknown_warehouse_size": "None", "unknown_credits_estimated": "None",
    }  # fmt: skip


CHECKS = (
    '[{"name": "one", "passed": "%s"}, {"name": "two", "passed": "%s"}, '
    '{"name": "three", "passed": "%s"}]'
)


# Which of the three pass; the score, and the names of those that failed.
SCORES: dict[str, tuple[tuple[str, ...], float, str | None]] = {
    "two_of_three": (("true", "false", "true"), 0.6667, "two"),
    "unknown_is_failed": (("null = 1", "1 = 1 or false", "2 < 1"), 0.3333, "one, three"),
    "all": (("true", "1 = 1", "true"), 1.0, None),
    "none": (("false", "null", "false"), 0.0, "one, two, three"),
}


def test_a_score_is_the_share_of_passed_checks(workspace: Workspace) -> None:
    expressions: dict[str, str] = {}
    expected: dict[str, Any] = {}
    for name, (passed, score, failed) in SCORES.items():
        checks = CHECKS % passed
        expressions[f"{name}_score"] = f"{{{{ data_quality_score({checks}) }}}}"
        expressions[f"{name}_type"] = f"typeof({{{{ data_quality_score({checks}) }}}})"
        expressions[f"{name}_failed"] = f"{{{{ failed_checks({checks}) }}}}"
        expected |= {
            f"{name}_score": score, f"{name}_type": "DECIMAL(5,4)", f"{name}_failed": failed,
        }  # fmt: skip
    assert answers(workspace, expressions) == expected


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ("[]", "data quality wants at least one check"),
        ('[{"name": "it\'s", "passed": "true"}]', "snake_case name of its own, not 'it's'"),
        (
            '[{"name": "a", "passed": "true"}, {"name": "a", "passed": "true"}]',
            "snake_case name of its own, not 'a'",
        ),
    ],
)
def test_checks_without_names_of_their_own_are_refused(
    workspace: Workspace, checks: str, said: str
) -> None:
    printed = workspace.olist(
        "dbt", "--", "show", "--inline", f"select {{{{ failed_checks({checks}) }}}}", expect=2
    )
    assert said in printed
