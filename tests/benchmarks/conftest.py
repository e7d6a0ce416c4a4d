"""The benchmarks are a package of the repository, beside the product: not installed."""

from __future__ import annotations

import sys
from pathlib import Path

REPOSITORY = str(Path(__file__).parent.parent.parent)
if REPOSITORY not in sys.path:
    sys.path.insert(0, REPOSITORY)
