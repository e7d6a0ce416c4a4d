"""The command line: exit codes, JSON, and nothing half done."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trivet.app.cli import output
from trivet.app.cli.main import VERBS
from trivet.app.folder import samples_file
from trivet.app.store import SampleStore

ROOT = Path(__file__).parent.parent.parent
HEAD = "Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2\n0\n"
DEMO = (sys.executable, "-m", "trivet.app.cli.main", "demo")
FIX = "48.1,11.5,0,100,39745.{0:05d},2008-10-24,00:{1:02d}:{2:02d}\n"


def trivet(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trivet.app.cli.main", *words],
        capture_output=True,
        text=True,
        env={"TRIVET_HOUSEHOLD": str(folder), "PATH": "", "HOME": str(folder)},
        timeout=60,
    )


@pytest.fixture
def track(tmp_path: Path) -> Path:
    fixes = "".join(FIX.format(i, i // 60, i % 60) for i in range(0, 1200, 10))
    path = tmp_path / "20081024000000.plt"
    path.write_text(HEAD + fixes)
    return path


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_recording_is_imported_and_asked_about(tmp_path: Path, track: Path) -> None:
    home = tmp_path / "home"
    zone = ("--zone", "Europe/Berlin", "--json")
    imported = answer(trivet(home, "import", str(track), *zone))
    assert imported["added"] == 120
    places = answer(trivet(home, "places", *zone))
    assert [p["visits"] for p in places] == [1]
    assert places[0]["name"] == "an unnamed place (24 Oct)"
    assert answer(trivet(home, "forecast", *zone)) is None


def test_what_is_no_recording_is_refused_whole(tmp_path: Path) -> None:
    home, noise = tmp_path / "home", tmp_path / "noise.plt"
    noise.write_bytes(bytes(range(256)) * 40)
    done = trivet(home, "import", str(noise))
    assert done.returncode == 4
    assert "noise.plt" in "".join(done.stderr.split())  # lines are broken
    if samples_file(home).exists():
        with SampleStore(samples_file(home)) as store:
            assert store.recordings() == []


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("import", "/nothing/here"), 4, "no such file"),
        (("places",), 2, "import a recording first"),
        (("forecast", "--at", "yesterday"), 2, "2026-02-27T18:05"),
        (("forecast", "--at", "2026-02-27T18:05"), 2, "--zone"),
        (("places", "--zone", "Mars/Olympus"), 2, "import a recording"),
        (("map", "near", "48", "-11.5"), 2, "no offline map"),
        (("household", "show"), 3, ""),
        (("up", "toaster"), 2, "phone, car and home"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_a_mistake_has_its_exit_code_and_says_what_to_do(
    tmp_path: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    done = trivet(tmp_path / "home", *words)
    assert done.returncode == code, done.stderr
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_household_is_founded_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert trivet(home, "household", "create", "ours").returncode == 0
    assert trivet(home, "device", "add", "phone", "--kind", "phone").returncode == 0
    shown = answer(trivet(home, "household", "show", "--json"))
    assert [d["device"] for d in shown["devices"]] == ["phone"]
    assert trivet(home, "household", "create", "ours").returncode in {2, 3}


def test_a_name_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table("", ["name"], [["[red]Zum Anker[/red]"], ["[/]"]])
    shown = capsys.readouterr().out
    assert "[red]Zum Anker[/red]" in shown
    assert "[/]" in shown


def test_every_verb_is_documented_and_has_help(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    for verb in VERBS:
        assert f"`trivet {verb}" in text, verb
    listed = trivet(tmp_path, "--help").stdout
    assert all(verb in listed for verb in VERBS)


@pytest.mark.real
def test_three_processes_live_a_day_and_end_by_themselves(tmp_path: Path) -> None:
    done = subprocess.run(
        [*DEMO, "--headless", "--json", "--days", "0.7"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    kinds = {json.loads(line)["kind"] for line in done.stdout.splitlines()}
    assert {"departure", "arrival", "suggestion", "answer"} <= kinds
