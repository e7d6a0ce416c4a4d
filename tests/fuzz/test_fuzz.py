"""Every decoder stands what nobody meant to send; and the fuzzer finds what it should.

The fuzzer forks, so it runs in a process of its own.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
PLANTED = ("--module", "tests.fuzz.planted")


def fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.fuzz", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def planted() -> str:
    """What is said of the decoders with planted bugs."""
    done = fuzz(*PLANTED, "--runs", "2000", "--limit-s", "0.4")
    assert done.returncode == 1, done.stderr
    return done.stdout


def said_of(target: str, output: str) -> str:
    """The lines about one target."""
    found = re.search(
        rf"^{target} .*?(?=^again: --target {target} |\Z)", output, re.M | re.S
    )
    assert found is not None, output
    return found[0]


def test_every_decoder_stands_a_short_pass() -> None:
    """No crash, no hang, no growth; each target has taken its valid inputs too."""
    done = fuzz("--runs", "2000")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert len(re.findall(r"^\S+ .* ok$", done.stdout, re.M)) > 30


@pytest.mark.parametrize(
    ("target", "what"),
    [
        ("forgetful", r"crash: .*KeyError: 'count'"),
        ("slow", r"hang: more than 0.4 s"),
        ("swallowing", r"hang: more than 0.4 s"),
        ("stuck", r"hang: the process: stuck"),
        ("leaking", r"memory: \d+ MiB more"),
        ("greedy", r"crash: .*MemoryError"),
        ("fatal", r"death: the process: SIGSEGV"),
        ("lenient", r"crash: .*AssertionError"),
    ],
)
def test_a_planted_bug_is_found(planted: str, target: str, what: str) -> None:
    said = said_of(target, planted)
    assert " FOUND\n" in said
    assert re.search(what, said, re.S), said


def test_no_bug_is_found_where_none_is(planted: str) -> None:
    assert re.search(r"^good .* ok$", planted, re.M)


def test_a_finding_is_given_again_by_its_number(planted: str) -> None:
    again = re.search(r"again: (--target forgetful .*)", planted)
    assert again is not None
    done = fuzz(*PLANTED, *again[1].split())
    assert done.returncode == 1, done.stderr
    shown = re.search(r"^input ([0-9a-f]+)$", said_of("forgetful", planted), re.M)
    assert shown is not None
    assert f": {shown[1]}\n" in done.stdout
    assert "KeyError: 'count'" in done.stdout


def test_an_input_is_the_same_in_every_process() -> None:
    """Keys, signatures and salts in the corpus are made of fixed numbers."""
    names = ("charter-signed", "backup", "envelope", "pairing-host", "late-signed")
    chosen = [part for name in names for part in ("--target", name)]
    first, second = (fuzz(*chosen, "--number", "77").stdout for _ in range(2))
    assert first == second
    assert first.count("\nok") == len(names)


def test_another_seed_gives_other_inputs() -> None:
    same = (*PLANTED, "--target", "good", "--number", "9", "--seed")
    one, two = (fuzz(*same, seed) for seed in "12")
    assert one.stdout.split(": ")[1] != two.stdout.split(": ")[1]


def test_what_is_not_there_is_said() -> None:
    done = fuzz(*PLANTED, "--target", "nobody")
    assert done.returncode == 2
    assert "no target 'nobody'" in done.stderr


def test_what_is_in_a_file_is_given_too(tmp_path: Path) -> None:
    file = tmp_path / "input"
    file.write_bytes(b"\x81\xa1a\x01")
    done = fuzz(*PLANTED, "--target", "forgetful", "--file", str(file))
    assert done.returncode == 1, done.stderr
    assert "KeyError: 'count'" in done.stdout
