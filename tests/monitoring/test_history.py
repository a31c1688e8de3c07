"""The history of figures: appended whole, never changed, whoever reads it meanwhile."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from monitored_place import MORNING, MonitoredPlace
from olist_platform.errors import OlistError
from olist_platform.monitoring import history
from olist_platform.monitoring.history import append_history, history_path
from recorded_figures import recorded_figures

APPEND = """
import sys
sys.path.insert(0, sys.argv[1])
from datetime import timedelta
from monitored_place import MORNING, environment
from olist_platform.monitoring.check_result import Check, CheckResult, State
from olist_platform.monitoring.history import append_history
results = [
    CheckResult(check=Check.VOLUME, subject=sys.argv[2], state=State.HEALTHY, observed_at=MORNING,
                value=float(n))
    for n in range(20)
]
for n in range(5):
    append_history(environment(), results, MORNING + timedelta(hours=n))
"""

READ = """
import sys, time
import duckdb
with duckdb.connect(sys.argv[1], read_only=True):
    print("reading", flush=True)
    time.sleep(0.5)
"""


def test_each_pass_is_appended_and_none_is_changed(place: MonitoredPlace) -> None:
    first = place.run_checks()
    kept = recorded_figures(place.environment, MORNING - timedelta(days=1))
    assert len(kept) == first.recorded == sum(result.is_recorded for result in first.results)
    place.wait(hours=1)
    place.tables["monitoring_data_quality"][0]["quality_score"] = 0.95
    place.run_checks()
    every = recorded_figures(place.environment, MORNING - timedelta(days=1))
    assert every[: len(kept)] == kept
    scores = [each for each in every if (each.check, each.subject) == ("quality_score", "orders")]
    assert [(each.checked_at, each.value, each.expected_low) for each in scores] == [
        (MORNING, 0.99, 0.9),
        (MORNING + timedelta(hours=1), 0.95, 0.9),
    ]
    assert recorded_figures(place.environment, MORNING + timedelta(minutes=1)) == every[len(kept) :]


def test_a_reader_only_holds_it_up(place: MonitoredPlace) -> None:
    done = place.run_checks()
    path = history_path(place.environment)
    reader = subprocess.Popen(
        [sys.executable, "-c", READ, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "reading\n"
    append_history(place.environment, done.results, MORNING + timedelta(hours=1))
    # It waited until the reader was gone.
    assert reader.poll() == 0
    reader.communicate()
    assert len(recorded_figures(place.environment, MORNING)) == 2 * done.recorded


def test_passes_of_two_processes_are_all_kept(place: MonitoredPlace) -> None:
    support = Path(__file__).parents[1] / "support"
    processes = [
        subprocess.Popen([sys.executable, "-c", APPEND, str(support), name]) for name in ("a", "b")
    ]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    kept = recorded_figures(place.environment, MORNING)
    assert len(kept) == 2 * 5 * 20


def test_a_history_that_cannot_be_kept_costs_no_alert(
    place: MonitoredPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_PATIENCE_SECONDS", 0)
    path = history_path(place.environment)
    path.parent.mkdir(parents=True)
    path.write_text("no database")
    place.tables["monitoring_data_quality"][0]["quality_score"] = 0.5
    with pytest.raises(OlistError, match=r"history\.duckdb: it is not a DuckDB database") as caught:
        place.run_checks()
    assert caught.value.mend.startswith("move that file away: the next pass begins a new history")
    assert [subject for _, subject, _ in place.told()] == ["orders"]
