"""The student that a household's anticipators weigh with."""

from __future__ import annotations

from pathlib import Path

from trivet.app.folder import student_file
from trivet.engine.student import Student, default


def student_of(folder: Path) -> Student:
    """The one in the household's folder, else the one that comes with trivet.

    Raises:
        InputError: the one in the folder is none.
    """
    path = student_file(folder)
    return Student.load(path) if path.exists() else default()
