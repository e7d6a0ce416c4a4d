"""Which format a file is, and which files a folder holds."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from trivet.devices.replay import READERS, detect, find_recordings, registry
from trivet.devices.replay.geolife import GeolifeReader
from trivet.domain import InputError

PLT = "Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2\n0\n"


@pytest.mark.parametrize(
    ("content", "looks"),
    [
        (b"", "an empty file"),
        (b"\n\n", "blank lines"),
        (b"\x89PNG\r\n\x1a\n\0\0", "binary data that begins with 89 50 4e 47"),
        (bytes(range(128, 256)) * 9, "binary data"),
        ("name,größe\nÄ,1\n".encode(), "CSV with the header name,größe"),
        ("name;größe\nÄ;1\n".encode("latin-1"), "CSV with the header name;gr"),
        (b"dear diary\n", "text that begins with 'dear diary'"),
        (b'{"places": [], "x": 1}', "JSON with places, x"),
        (b"<?xml version='1.0'?><kml></kml>", "XML of <kml>"),
    ],
)
def test_a_foreign_file_is_described(write: Any, content: bytes, looks: str) -> None:
    with pytest.raises(InputError) as caught:
        detect(write("a.dat", content))
    assert f"looks like {looks}" in caught.value.message
    assert "GeoLife track (.plt), GPX track (.gpx)" in caught.value.hint


@pytest.mark.parametrize("path", ["/no/such/file", "/dev/zero", "a\0b"])
def test_what_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(InputError):
        detect(Path(path))
    with pytest.raises(InputError):
        find_recordings(Path(path))


def test_a_folder_gives_its_recordings_by_name(write: Any, tmp_path: Path) -> None:
    for name in ("b/2.plt", "a/9.plt", "a/10.plt", ".hidden/1.plt", "a/.1.plt"):
        write(name, PLT)
    write("a/labels.txt", "Start Time\tEnd Time\tTransportation Mode\n")
    found = [str(p.relative_to(tmp_path)) for p in find_recordings(tmp_path)]
    assert found == ["a/10.plt", "a/9.plt", "b/2.plt"]


def test_a_folder_without_recordings_is_refused(write: Any, tmp_path: Path) -> None:
    write("a.txt", "nothing")
    with pytest.raises(InputError, match="no recording in this folder"):
        find_recordings(tmp_path)


class Mine(GeolifeReader):
    name = "mine"
    title = "mine"


def test_third_parties_enter_by_an_entry_point(monkeypatch: Any) -> None:
    here = __name__

    def entries(group: str) -> list[EntryPoint]:
        assert group == "trivet.readers"
        return [
            EntryPoint("mine", f"{here}:Mine", group),
            EntryPoint("twice", f"{here}:GeolifeReader", group),
            EntryPoint("absent", "no_such_module:Reader", group),
            EntryPoint("other", "builtins:dict", group),
        ]

    monkeypatch.setattr(registry, "entry_points", entries)
    monkeypatch.setitem(__import__("sys").modules, here, _Here)
    readers = registry.Registry()
    assert list(readers)[-1] == "mine"
    assert set(readers.broken) == {"twice", "absent", "other"}
    assert len(readers) == len(READERS) + 1


class _Here:
    Mine = Mine
    GeolifeReader = GeolifeReader


def test_every_reader_has_a_name_a_title_and_a_kind() -> None:
    assert all(reader.name == name for name, reader in READERS.items())
    assert all(reader.title and reader.kind for reader in READERS.values())
