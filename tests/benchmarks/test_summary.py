"""Each person counts the same, intervals hold what they should, pictures are drawn."""

from __future__ import annotations

from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest
from benchmarks.anticipation.bar import bars
from benchmarks.anticipation.baseline import BASELINES
from benchmarks.anticipation.figure import by_person, figure, middle
from benchmarks.anticipation.live import Order, live
from benchmarks.anticipation.markdown import BEGIN, END, put
from benchmarks.anticipation.markdown import lines as tables
from benchmarks.anticipation.plots import charts
from benchmarks.anticipation.report import lines, table
from benchmarks.anticipation.result import Result
from benchmarks.anticipation.summary import WARM, Source, summarise
from benchmarks.anticipation.svg import draw
from benchmarks.anticipation.table import Table


def made(rights: list[float], day: int = 20) -> Table:
    """A table of known trips judged half-way, right or not."""
    count = len(rights)
    ones = np.ones(count)
    columns = {
        "clock": 0 * ones,
        "mark": 0.5 * ones,
        "day": day * ones,
        "known": ones,
        "trip_s": 600 * ones,
        "trivet/late_s": 60 * ones,
        "trivet/covered": ones,
        "trivet/best": 0.75 * ones,
        "trivet/top1": np.array(rights),
        "trivet/exact": np.array(rights),
        "trivet/error_m": 100 * ones,
        "trivet/new": 0.1 * ones,
    }
    for name in BASELINES:
        columns[f"{name}/top1"] = 0.5 * ones
    return Table(columns, {}, [])


def summary(*tables: Table) -> Result:
    source = Source("three people", "", "nobody", 0)
    return summarise(source, {str(n): t for n, t in enumerate(tables)})


def test_who_travels_ten_times_as_much_counts_the_same() -> None:
    result = summary(made([1.0] * 100), made([0.0] * 10))
    cell = result.cell("known", "share", 0.5, WARM)
    assert cell is not None
    assert cell.top1["trivet"].value == 0.5
    assert cell.trips == 110


def test_a_margin_is_by_person() -> None:
    result = summary(made([1.0] * 8), made([0.75] * 8), made([0.75] * 8))
    cell = result.cell("known", "share", 0.5, WARM)
    assert cell is not None
    assert cell.margin.value == pytest.approx(1.0 / 3)
    assert cell.margin.low is not None
    assert cell.margin.low >= 0.25


def test_of_few_trips_nothing_is_said() -> None:
    found = by_person([made([1.0] * 4)], "trivet/top1", lambda t: t.at("share", 0.5))
    assert np.isnan(found).all()


def test_an_interval_is_of_people_and_the_same_each_time() -> None:
    people = np.array([0.4, 0.5, 0.6, 0.7])
    found = figure(people)
    assert found == figure(people)
    assert found.value == pytest.approx(0.55)
    assert found.low is not None
    assert found.high is not None
    assert 0.4 < found.low < 0.55 < found.high < 0.7
    assert figure(np.array([0.4])).low is None
    assert figure(np.array([])).value is None


def test_the_middle_of_errors_bears_one_that_is_infinite() -> None:
    assert middle(np.array([1.0, np.inf, 3.0])) == 3.0


def test_what_was_said_is_set_against_what_came_true() -> None:
    result = summary(made([1.0, 0.0] * 10))
    found = {(r.of, r.mark): r for r in result.reliability}["best guess", 0.5]
    assert found.count[7] == 20
    assert (found.said[7], found.true[7]) == (0.75, 0.5)
    assert found.gap == pytest.approx(0.25)


def test_silence_below_a_probability() -> None:
    result = summary(made([1.0] * 10))
    found = {a.least: a for a in result.abstention if a.mark == 0.5}
    assert found[0.7].spoke.value == 1.0
    assert found[0.8].spoke.value == 0.0
    assert found[0.8].right.value is None


def test_a_missed_bar_is_said_to_be_missed() -> None:
    found = {bar.what: bar for bar in bars(summary(made([1.0] * 9), made([0.0] * 9)))}
    assert not found["top-1 at 50%, seen before"].is_met
    assert found["median error at 50%, seen before"].is_met
    assert found["arrival at 50%: mean error"].is_met
    assert not found["arrival at 50%: the 80% interval holds"].is_met


def test_figures_go_between_the_marks_and_nowhere_else() -> None:
    found = put(f"before\n{BEGIN}\nold\n{END}\nafter", "new")
    assert found == f"before\n{BEGIN}\nnew\n{END}\nafter"
    with pytest.raises(ValueError, match="no <!-- figures"):
        put("no marks", "new")


def test_a_table_is_as_wide_as_what_is_in_it() -> None:
    found = list(table("title", ("a", "b"), [("1", "22222"), ("333", "4")]))
    assert found[2:] == ["  a        b", "  1    22222", "  333      4"]


def test_a_simulated_household_is_judged_to_the_last_picture() -> None:
    """From samples to words, numbers and drawings, and no coordinate in any."""
    result = summarise(
        Source("a household", "", "ours", 1), {"3": live(Order(None, "3", days=18))}
    )
    words = "\n".join(lines(result))
    assert "Against the bars" in words
    assert "The next place" in words
    kept = msgspec.json.encode(result)
    assert msgspec.json.decode(kept, type=Result) == result
    assert b'"lat"' not in kept
    assert "### Against the bars" in put(
        f"a{BEGIN}old{END}b", "\n".join(tables(result))
    )
    for name, chart in charts(result):
        drawn = ElementTree.fromstring(draw(chart))
        assert drawn.tag.endswith("svg"), name
