"""What began once never begins again: not twice, not after a restart, not when old."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from trivet.domain import SetupError
from trivet.fabric.offload.journal import MAX_OUTPUT, Journal, Record


def run_id(number: int) -> str:
    return f"{number:032x}"


def test_a_run_begins_once() -> None:
    journal = Journal()
    assert journal.begin("car", run_id(1))
    assert not journal.begin("car", run_id(1))
    assert journal.begin("home", run_id(1))
    assert journal.find("car", run_id(1)) == Record("begun")
    assert journal.find("car", run_id(2)) is None


def test_a_run_begins_once_across_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    assert journal.begin("car", run_id(1))
    # no close: the device lost its power
    again = Journal(tmp_path / "journal.db")
    assert not again.begin("car", run_id(1))
    assert again.find("car", run_id(1)) == Record("begun")
    again.close()
    journal.close()


def test_what_it_gave_is_kept_if_it_is_short(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    for number, output in enumerate((b"x", bytes(MAX_OUTPUT + 1), None)):
        journal.begin("car", run_id(number))
        journal.end("car", run_id(number), output)
    journal.close()
    journal.close()
    again = Journal(tmp_path / "journal.db")
    found = [again.find("car", run_id(number)) for number in range(3)]
    assert found == [Record("ended", b"x"), Record("ended"), Record("ended")]
    again.close()


def test_what_is_barred_never_begins() -> None:
    journal = Journal()
    assert journal.bar("car", run_id(1))
    assert not journal.begin("car", run_id(1))
    assert journal.begin("car", run_id(2))
    assert not journal.bar("car", run_id(2))
    assert journal.find("car", run_id(2)) == Record("begun")


def test_attack_an_old_id_does_not_begin_once_it_was_forgotten() -> None:
    journal = Journal(kept=100)
    for number in range(1, 301):
        assert journal.begin("car", run_id(number))
    (count,) = journal._base.execute("select count(*) from run").fetchone()
    assert count <= 110
    for number in (1, 50, 150):
        assert not journal.begin("car", run_id(number))
        assert journal.find("car", run_id(number)) == Record("barred")
    assert journal.begin("home", run_id(1))


def test_a_file_that_is_no_journal_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(SetupError, match="cannot be opened"):
        Journal(tmp_path / "journal.db")


def test_a_full_disk_begins_nothing_and_is_told(tmp_path: Path) -> None:
    def fill(journal: Journal) -> None:
        for number in range(100_000):
            journal.begin("car", f"{number:032x}")

    with closing(Journal(tmp_path / "runs.db")) as journal:
        journal._base.execute("pragma max_page_count = 1")  # it sets what there is
        with pytest.raises(SetupError, match="full"):
            fill(journal)
        journal._base.execute("pragma max_page_count = 100000")
        assert journal.find("car", f"{0:032x}") == Record("begun")
        assert journal.begin("car", "f" * 32)


def test_what_was_learned_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        assert journal.learned() == b""
        journal.keep_learned(b"one")
        journal.keep_learned(b"two")
    with closing(Journal(path)) as journal:
        assert journal.learned() == b"two"
