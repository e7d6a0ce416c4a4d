"""`trivet bench`: the checkout's benchmarks by name, or what to do without them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trivet.app.cli.bench import app, checkout
from trivet.domain import SetupError


def test_the_checkout_is_found_beside_the_package() -> None:
    assert (checkout() / "benchmarks" / "screen.py").is_file()


def test_without_a_checkout_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="make bench"):
        checkout(tmp_path / "site-packages" / "trivet")


def test_an_unknown_name_is_the_callers_fault(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert CliRunner().invoke(app, ["nothing"]).exit_code == 2
    assert "there are: device, demo, screen" in capfd.readouterr().err


def test_every_name_has_its_module_and_its_rows() -> None:
    code = (
        "from importlib import import_module; import benchmarks.__main__ as b\n"
        "for module, rows in (b.BENCHMARKS | b.LONG).values():\n"
        "    assert callable(getattr(import_module('benchmarks.' + module), rows))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=checkout(), check=True)


def test_what_cannot_be_measured_here_says_why_and_what_to_do() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "homes"],
        cwd=checkout(),
        env={k: v for k, v in os.environ.items() if k != "TRIVET_HOMES"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "name their folder in TRIVET_HOMES" in done.stderr


def test_each_benchmark_that_the_documents_name_is_one_of_all() -> None:
    """Or it takes words of its own: a folder, a file, other weights."""
    root = checkout()
    pages = [root / "README.md", *(root / "docs").rglob("*.md")]
    texts = [page.read_text() for page in pages]
    named = {m for t in texts for m in re.findall(r"-m benchmarks[. ]([\w.]+)", t)}
    code = (
        "import benchmarks.__main__ as b\n"
        "for name, (module, _) in (b.BENCHMARKS | b.LONG).items():\n"
        "    print(name, module)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, check=True, capture_output=True
    )
    own = {"anticipation", "routine_recorded"} | {
        f"anticipation.{name}" for name in ("markdown", "plots", "training")
    }
    assert named - set(done.stdout.decode().split()) - own == set()
