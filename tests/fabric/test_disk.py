from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from tests.fabric.house_stage import crash

from trivet.domain import SetupError
from trivet.fabric import disk


def test_a_file_is_replaced_whole_with_the_mode_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "key"
    before = os.umask(0)
    try:
        disk.replace(path, b"one", disk.SECRET)
        disk.replace(path, b"two", disk.SECRET)
    finally:
        os.umask(before)
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["key"]


def test_a_crash_leaves_the_old_file_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    disk.replace(path, b"one")
    crash(monkeypatch)
    with pytest.raises(SetupError, match="cannot be replaced"):
        disk.replace(path, b"two")
    assert path.read_bytes() == b"one"
    assert [p.name for p in tmp_path.iterdir()] == ["key"]


def test_a_folder_that_fails_half_made_is_gone(tmp_path: Path) -> None:
    def fail() -> None:
        with disk.made_whole(tmp_path / "new") as draft:
            disk.write_new(draft / "one", b"1")
            raise SetupError("the second is impossible")

    with pytest.raises(SetupError, match="second"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "letter").write_text("dear")
    with pytest.raises(SetupError), disk.made_whole(tmp_path / "there"):
        pass
    assert (tmp_path / "there" / "letter").read_text() == "dear"
    assert [p.name for p in tmp_path.iterdir()] == ["there"]


def test_attack_plant_a_link_where_a_draft_is_written(tmp_path: Path) -> None:
    """A link to somebody else's file is not written through."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / f".key.{os.getpid()}").symlink_to(victim)
    disk.replace(tmp_path / "key", b"secret", disk.SECRET)
    assert victim.read_text() == "mine"
    (tmp_path / "planted").symlink_to(victim)
    with pytest.raises(OSError, match="exists"):
        disk.write_new(tmp_path / "planted", b"secret", disk.SECRET)


def test_what_is_no_file_of_ours_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(SetupError, match="longer"):
        disk.read(path, "")
    with pytest.raises(SetupError, match=r"missing.*do this"):
        disk.read(tmp_path / "absent", "do this")
    path.chmod(0o640)
    path.write_bytes(b"x")
    with pytest.raises(SetupError, match="chmod 600"):
        disk.read_secret(path, "")


def test_of_two_that_change_a_folder_one_waits(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")

    def count() -> None:
        for _ in range(20):
            with disk.locked(tmp_path):
                disk.replace(counter, str(int(counter.read_text()) + 1).encode())

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.read_text() == "60"
