"""The house keeps its own rules: floors, sizes, names, and doors."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import trivet

ROOT = Path(trivet.__file__).parent
REPOSITORY = ROOT.parent.parent
FILES = sorted(ROOT.rglob("*.py"))
INITS = [path for path in FILES if path.name == "__init__.py"]
#: The app and the transport live in real time, all else in the event's.
TIMELESS = [p for p in FILES if p.relative_to(ROOT).parts[0] not in {"app", "fabric"}]
MODULES = sorted(m.name for m in pkgutil.walk_packages([str(ROOT)], "trivet."))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_modules_import_alone() -> None:
    """Every module can be the first one imported: no hidden circle."""
    script = (
        "import os, sys\n"
        # what others made is imported once; forks of it import ours
        "import cedarpy, cryptography.x509, loro, msgspec, numpy, psutil, zenoh\n"
        "import nicegui, rich.console, typer\n"
        "for module in sys.argv[1:]:\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        try:\n"
        "            __import__(module)\n"
        "        except BaseException as error:\n"
        "            print(module, repr(error), file=sys.stderr)\n"
        "            os._exit(1)\n"
        "        os._exit(0)\n"
        "    if os.waitpid(child, 0)[1]:\n"
        "        sys.exit(f'{module} cannot be imported first')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *MODULES], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", FILES, ids=name)
def test_file_fits_on_a_desk(path: Path) -> None:
    """A file past 400 lines is two files."""
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", FILES, ids=name)
def test_function_fits_in_a_head(path: Path) -> None:
    """A function past 50 lines is two functions."""
    long = [
        f"{node.name} at line {node.lineno}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > 50
    ]
    assert not long


@pytest.mark.parametrize("path", TIMELESS, ids=name)
def test_time_is_passed_in(path: Path) -> None:
    """Below the app only the transport may ask what time it is."""
    clocks = {"time.time", "datetime.now", "datetime.today", "date.today"}
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    }
    assert not {call for call in calls if any(call.endswith(c) for c in clocks)}


@pytest.mark.parametrize("path", INITS, ids=name)
def test_init_only_hands_names_on(path: Path) -> None:
    """An `__init__.py` defines nothing but its version."""
    for node in ast.parse(path.read_text()).body:
        assert isinstance(node, ast.Import | ast.ImportFrom | ast.Expr | ast.Assign), (
            f"line {node.lineno}"
        )


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_error_is_swallowed(path: Path) -> None:
    """No bare `except`, and no `except Exception: pass`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ExceptHandler):
            continue
        broad = node.type is None or ast.unparse(node.type) in {
            "Exception",
            "BaseException",
        }
        silent = all(isinstance(line, ast.Pass) for line in node.body)
        assert node.type is not None, f"line {node.lineno}"
        assert not (broad and silent), f"line {node.lineno}"


@pytest.mark.parametrize(
    "word", ["manager", "helper", "helpers", "util", "utils", "misc", "common"]
)
def test_no_module_without_a_subject(word: str) -> None:
    assert word not in {path.stem for path in FILES}


def test_floors_hold() -> None:
    """The import contracts of pyproject.toml."""
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
