"""Bytes in bounded memory, packed or not."""

from __future__ import annotations

import gzip
import lzma
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trivet.devices.replay import Report, Source, detect, read, source
from trivet.domain import InputError

HEADER = b"Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2\n0\n"
MIB = 1 << 20


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_packed_lines_are_the_same_lines(
    write: Any, pack: Callable[[bytes], bytes]
) -> None:
    lines = [b"%d" % n * (n % 50) for n in range(20_000)]
    path = write("a.log", pack(b"\n".join(lines)))
    with Source(path) as file:
        assert list(file.lines()) == lines
        assert file.line == len(lines)


def test_streams_that_follow_each_other_are_one(write: Any) -> None:
    packed = lzma.compress(b"a\nb") + bytes(4) + lzma.compress(b"c\nd\n")
    with Source(write("a.xz", packed)) as file:
        assert list(file.lines()) == [b"a", b"bc", b"d"]


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
@pytest.mark.parametrize("hurt", ["cut", "changed"])
def test_a_damaged_packing_is_refused(
    write: Any, pack: Callable[[bytes], bytes], hurt: str
) -> None:
    noise = b"".join(b"%d\n" % (n * n) for n in range(50_000))
    packed = bytearray(pack(noise))
    if hurt == "cut":
        del packed[len(packed) // 2 :]
    else:
        packed[len(packed) // 2] ^= 0xFF
    with (
        pytest.raises(InputError, match="cannot be read on"),
        Source(write("a", bytes(packed))) as file,
    ):
        list(file.lines())


def test_a_packing_that_wants_too_much_memory_is_refused(
    write: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(source, "_XZ_MEMORY_BYTES", MIB)
    with pytest.raises(InputError, match=r"[Mm]emory"):
        detect(write("a.xz", lzma.compress(HEADER, preset=6)))


def peak(action: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_100_mb_without_a_line_end_are_refused_in_2_mb(tmp_path: Path) -> None:
    noise, track = tmp_path / "noise", tmp_path / "track.plt"
    noise.write_bytes(b"")
    track.write_bytes(HEADER)
    for path in (noise, track):
        with path.open("r+b") as file:
            file.truncate(100 * MIB)

    def refuse() -> None:
        with pytest.raises(InputError, match="binary data that begins with 00"):
            detect(noise)
        with pytest.raises(
            InputError, match=r"track\.plt:7: a line of more than 64 KiB"
        ):
            list(read([track], Report()))

    assert peak(refuse) < 2 * MIB


def test_a_packed_bomb_is_refused_in_2_mb(write: Any) -> None:
    path = write("a.plt.gz", gzip.compress(HEADER + bytes(50 * MIB), 1))

    def refuse() -> None:
        with pytest.raises(InputError, match="a line of more than 64 KiB"):
            list(read([path], Report()))

    assert peak(refuse) < 2 * MIB


def test_a_thousand_bad_lines_and_none_good_are_refused(write: Any) -> None:
    path = write("a.plt", HEADER + b"bad\n" * 5000)
    with pytest.raises(InputError, match=r"a\.plt:1006: 1000 bad records"):
        list(detect(path).read(path, Report()))


def track_of(lines: int) -> bytes:
    return HEADER + b"".join(
        b"39.9,116.3,0,0,%.10f,2008-11-07,01:05:54\n" % (39759 + n / 86400)
        for n in range(lines)
    )


def gpx_of(points: int) -> bytes:
    text = b"".join(
        b'<trkpt lat="1" lon="%d"><time>2024-05-01T%02d:%02d:%02dZ</time></trkpt>'
        % (n % 99, n // 3600, n // 60 % 60, n % 60)
        for n in range(points)
    )
    return b"<gpx><trk><trkseg>" + text + b"</trkseg></trk></gpx>"


def records_of(count: int) -> bytes:
    text = b",".join(
        b'{"latitudeE7":481000000,"longitudeE7":115000000,"timestampMs":"%d000"}'
        % (1714557600 + n)
        for n in range(count)
    )
    return b'{"locations":[' + text + b"]}"


@pytest.mark.parametrize("make", [track_of, gpx_of, records_of])
def test_memory_does_not_grow_with_the_file(
    write: Any, make: Callable[[int], bytes]
) -> None:
    few, many = write("few", make(3_000)), write("many", make(9_000))
    reader = detect(few)

    def through(path: Path) -> Callable[[], object]:
        return lambda: sum(1 for _ in reader.read(path, Report()))

    through(few)()
    assert peak(through(many)) < 1.2 * peak(through(few)) + 200_000
