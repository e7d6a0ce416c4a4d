"""The document of the command line says what the verbs' own help says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from trivet.app.cli.main import VERBS

ROOT = Path(__file__).parent.parent.parent
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "cli_doc.py"))
DOCUMENT = (ROOT / "docs" / "cli.md").read_text()


def test_the_document_is_what_its_script_writes() -> None:
    renewed = SCRIPT["renewed"](DOCUMENT)
    assert renewed == DOCUMENT, "run: make docs"


def test_every_verb_and_its_options_are_in_it() -> None:
    for verb in VERBS:
        assert re.search(rf"\*\*`trivet {verb}\b", DOCUMENT), verb
    for option in ("--headless", "--warm-up-days", "--radius", "--json", "--household"):
        assert f"`{option}`" in DOCUMENT


def test_a_verb_that_is_missing_is_noticed() -> None:
    less = DOCUMENT.replace("**`trivet doctor`**", "")
    assert SCRIPT["renewed"](less) != less
