"""What a node wrote down is read again, whatever a kill cut short."""

from __future__ import annotations

from pathlib import Path

from scripts.chaos.journal import Acked, Began, Journal, read_book


def test_a_life_goes_on_after_a_line_that_was_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "home.jsonl"
    Journal(path, 1).add(Began(seq=0), sure=True)
    with path.open("ab") as file:
        file.write(b'{"type":"acked","key":"each.ho')
    Journal(path, 2).add(Acked(key="each.home.1", value="1"), sure=True)
    book = read_book(tmp_path)
    assert [record.life for record in book.of("home", Began)] == [1]
    assert [record.life for record in book.of("home", Acked)] == [2]


def test_records_of_all_devices_are_in_the_order_of_their_times(tmp_path: Path) -> None:
    home = Journal(tmp_path / "home.jsonl", 1)
    car = Journal(tmp_path / "car.jsonl", 1)
    for number, journal in enumerate((home, car, home)):
        journal.add(Acked(key=f"each.{number}", value=""))
    records = read_book(tmp_path).all(Acked)
    assert [(device, record.key) for device, record in records] == [
        ("home", "each.0"),
        ("car", "each.1"),
        ("home", "each.2"),
    ]
