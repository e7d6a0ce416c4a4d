"""`trivet history` shows, keeps, exports and forgets; the device may run or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from tests.app.allies import trust_of
from typer.testing import CliRunner, Result

from trivet.app.cli.kept import history_app
from trivet.app.control import Control, open_control
from trivet.app.folder import control_file, history_file, ledger_file
from trivet.app.keeping import Keeping
from trivet.domain import Device, DeviceKind, Sample, Signal
from trivet.fabric import MemoryFabric
from trivet.fabric.background import cancel
from trivet.fabric.disclosure import Disclosures
from trivet.fabric.history import History
from trivet.fabric.history.reader import Reader
from trivet.fabric.ledger import Ledger

T0 = 1_760_000_100.0
PHONE = Device("phone", DeviceKind.PHONE, signals=(Signal("batt"),))


def ask(folder: Path, *words: str) -> Result:
    rest = ["--device", "phone", "--household", str(folder)]
    return CliRunner().invoke(history_app, [*words, *rest])


def said(folder: Path, *words: str) -> str:
    done = ask(folder, *words)
    assert done.exit_code == 0, done.output
    return done.output


def answer(folder: Path, *words: str) -> Any:
    return json.loads(said(folder, *words, "--json"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A phone that does not run; it kept 100 samples and told the car of one."""
    with History(history_file(tmp_path, "phone"), "phone") as history:
        for number in range(100):
            history.note(Sample("phone", "batt", T0 + number, number))
            history.note(Sample("phone", "location", T0 + number, f"at {number}"))
    with Ledger(ledger_file(tmp_path, "phone"), "phone") as ledger:
        flows = Disclosures(ledger)
        flows.note("0" * 16, "car", "location", "navigation", 0, T0 + 5, T0 + 5)
        flows.flush(T0 + 5)
    return tmp_path


def test_it_shows_what_there_is(folder: Path) -> None:
    output = said(folder, "show")
    assert "batt" in output
    assert "**: 30d as it was, then summaries of 5m, until it is 1y old" in output
    assert "512 MiB" in output
    shown = answer(folder, "show")
    assert [(s["path"], s["samples"]) for s in shown["streams"]] == [
        ("batt", 100),
        ("location", 100),
    ]


def test_rules_are_made_listed_and_dropped(folder: Path) -> None:
    words = ("keep", "Vehicle.**", "--raw", "7d", "--every", "5m", "--for", "365d")
    assert "Vehicle.**: 1w as it was, then summaries of 5m" in said(folder, *words)
    assert "location: 1d as it was, until" in said(
        folder, "keep", "location", "--raw", "1d"
    )
    assert len(answer(folder, "keep")["rules"]) == 2
    assert len(answer(folder, "keep", "location", "--drop")["rules"]) == 1
    settings = answer(folder, "keep", "--copies", "1h", "--most", "100")
    assert (settings["copies_s"], settings["max_bytes"]) == (3600, 100 << 20)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("keep", "location"), "how long is location"),
        (("keep", "--raw", "1d"), "which signals"),
        (("keep", "a", "--raw", "1x"), "no duration"),
        (
            ("keep", "a", "--raw", "30d", "--every", "5m", "--for", "1d"),
            "cannot be gone",
        ),
        (("keep", "a", "--drop"), "no rule"),
        (("forget",), "what is to be forgotten"),
        (("forget", "--last", "7d", "--since", "2026-01-01"), "leave one out"),
        (("forget", "--since", "yesterday"), "is no time"),
        (("forget", "a b", "--yes"), "cannot be forgotten"),
        (("export", "out.txt"), "neither .parquet nor .csv"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_changes(
    folder: Path, words: tuple[str, ...], why: str
) -> None:
    done = ask(folder, *words)
    assert done.exit_code == 2
    assert why in done.output.replace("\n", " ")
    assert len(rows(folder)) == 200


def rows(folder: Path) -> list[str]:
    with Reader(history_file(folder, "phone")) as reader:
        return [k.path for k in reader.rows()]


def test_without_a_history_it_says_so(tmp_path: Path) -> None:
    for words in (("show",), ("export", "a.csv"), ("forget", "**", "--yes")):
        done = ask(tmp_path, *words)
        assert done.exit_code == 3, words
        assert "there is no history" in done.output.replace("\n", " ")
    assert list(tmp_path.iterdir()) == []


def test_it_exports_a_span_of_some_signals(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert answer(folder, "export", str(out))["rows"] == 200
    assert answer(folder, "export", str(out), "batt")["rows"] == 100
    assert answer(folder, "export", str(out), "--since", "2100-01-01")["rows"] == 0
    parquet = tmp_path / "out.parquet"
    assert answer(folder, "export", str(parquet), "location")["rows"] == 100
    assert parquet.read_bytes()[:4] == b"PAR1"


def test_it_forgets_in_the_file_and_says_who_is_still_to_be_asked(
    folder: Path,
) -> None:
    (folder / "samples.db").touch()
    output = said(folder, "forget", "location", "--yes")
    assert "Deleted here: 100 samples, 0 summaries." in output
    assert "car is still to forget location: it is asked when it comes." in output
    assert "Nothing of it is left in the history's file." in output
    assert "Imported recordings are another file" in output
    assert set(rows(folder)) == {"batt"}
    assert b"at 77" not in history_file(folder, "phone").read_bytes()
    assert "car is still to forget" in said(folder, "show")
    with History(history_file(folder, "phone"), "phone") as history:
        # the device writes it into its ledger when it next runs
        assert len(history.memories(unrecorded=True)) == 1


def test_what_a_wrong_clock_dated_ahead_goes_too(folder: Path) -> None:
    path = history_file(folder, "phone")
    with History(path, "phone") as history:
        history.note(Sample("phone", "batt", 7e9, 1))
    assert answer(folder, "forget", "**")["here"]["own"]["samples"] == 201
    with History(path, "phone") as history:
        history.note(Sample("phone", "batt", 5e9, 1))
        assert history.flush() == 1, "and holds back nothing that comes after"


def test_it_asks_first_and_takes_a_no(folder: Path) -> None:
    rest = ["--device", "phone", "--household", str(folder)]
    done = CliRunner().invoke(history_app, ["forget", "batt", *rest], input="n\n")
    assert done.exit_code == 1
    assert "100 samples, 0 summaries of phone" in done.output.replace("\n", " ")
    assert len(rows(folder)) == 200
    done = CliRunner().invoke(history_app, ["forget", "batt", *rest], input="y\n")
    assert done.exit_code == 0, done.output
    assert len(rows(folder)) == 100


# --- a device that runs -----------------------------------------------------------


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Keeping]:
    control, fabric = Control(), MemoryFabric()
    with (
        closing(trust_of(PHONE)) as trust,
        closing(History(history_file(folder, "phone"), "phone")) as history,
    ):
        trust.time = T0 + 200
        async with fabric.open_session("phone", gate=trust.gate) as link:
            trust.attach(link)
            keeping = Keeping(link, trust, history)
            keeping.take_words(control)
            task = asyncio.create_task(keeping.run())
            try:
                async with open_control(control_file(folder, "phone"), control):
                    yield keeping
            finally:
                await cancel(task)


async def test_a_running_device_is_told_and_forgets_by_its_own_clock(
    folder: Path,
) -> None:
    async with running(folder) as keeping:
        keeping.note_own(Sample("phone", "batt", T0 + 150, 5))
        shown = await asyncio.to_thread(answer, folder, "show")
        assert shown["streams"][0]["samples"] == 101
        said_ = await asyncio.to_thread(
            answer, folder, "forget", "batt", "--last", "120s"
        )
        # of the last two minutes before T0 + 200: 80 to 99, and 150
        assert said_["here"]["own"]["samples"] == 21
        assert said_["is_clean"]
        assert rows(folder).count("batt") == 80
