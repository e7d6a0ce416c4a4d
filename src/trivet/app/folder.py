"""Where a household's files are on this machine.

Source: XDG Base Directory Specification, through platformdirs.
"""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

#: Names the household's folder, over the default.
VARIABLE = "TRIVET_HOUSEHOLD"


def household_folder(named: Path | None = None) -> Path:
    """The folder named, else $TRIVET_HOUSEHOLD, else the user's data folder."""
    if named is not None:
        return named
    from_environment = os.environ.get(VARIABLE)
    return Path(from_environment) if from_environment else user_data_path("trivet")


def samples_file(folder: Path) -> Path:
    """The imported samples."""
    return folder / "samples.db"


def student_file(folder: Path) -> Path:
    """Weights of the household's own, instead of those that come with trivet."""
    return folder / "student.json"


def atlas_file(folder: Path) -> Path:
    """The offline map."""
    return folder / "atlas.db"


def identity_folder(folder: Path) -> Path:
    """The household's certificates and keys."""
    return folder / "identity"


def ledger_file(folder: Path, device: str) -> Path:
    """What a device gave away, and to whom."""
    return folder / f"ledger-{device}.db"


def history_file(folder: Path, device: str) -> Path:
    """The samples that a device keeps."""
    return folder / f"history-{device}.db"


def witness_file(folder: Path, device: str) -> Path:
    """What a device keeps of where others' ledgers end."""
    return folder / f"witness-{device}.bin"


def seat_file(folder: Path, device: str) -> Path:
    """What a device must not forget of whom it promised which seat."""
    return folder / f"seat-{device}.json"


def choices_file(folder: Path, device: str) -> Path:
    """What was weighed and said while a device led."""
    return folder / f"choices-{device}.jsonl"


def state_file(folder: Path, device: str) -> Path:
    """A device's copy of the household's state."""
    return folder / f"state-{device}.db"


def run_file(folder: Path, device: str) -> Path:
    """The runs that must not begin twice on a device."""
    return folder / f"runs-{device}.db"


def control_file(folder: Path, device: str) -> Path:
    """The socket at which a running device takes its owner's word."""
    return folder / f"control-{device}.sock"
