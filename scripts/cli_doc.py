"""Write the verbs of the command line into docs/cli.md, from their own help.

    python scripts/cli_doc.py

`tests/app/test_cli_doc.py` fails where the document no longer says what the verbs do.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from typer.main import get_command

from trivet.app.cli.main import VERBS

DOCUMENT = Path(__file__).parent.parent / "docs" / "cli.md"
BEGIN = "<!-- written by scripts/cli_doc.py: begin -->\n"
END = "<!-- written by scripts/cli_doc.py: end -->\n"


#: Options that many verbs share: the document's head says what they do.
_COMMON = {"household": "--household", "as_json": "--json"}
_EVERYWHERE = {*_COMMON, "help", "install_completion", "show_completion"}


def main() -> None:
    """Renew the part of the document between the two marks."""
    DOCUMENT.write_text(renewed(DOCUMENT.read_text()), encoding="utf-8")


def renewed(text: str) -> str:
    """The document with its verbs written anew."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return before + BEGIN + "\n".join(lines()) + "\n" + END + after


def lines() -> Iterator[str]:
    """Each verb with its arguments and options."""
    for verb, (module, name, _) in VERBS.items():
        app = getattr(import_module(f"trivet.app.cli.{module}"), name)
        yield from _of(f"trivet {verb}", get_command(app))


def _of(path: str, command: Any) -> Iterator[str]:
    inner: dict[str, Any] = getattr(command, "commands", {})
    if not inner or command.invoke_without_command:
        yield from _described(path, command)
    for name, each in inner.items():
        if not each.hidden:
            yield from _of(f"{path} {name}", each)


def _described(path: str, command: Any) -> Iterator[str]:
    shown = [p for p in command.params if not getattr(p, "hidden", False)]
    usage, said = path, " ".join((command.help or "").split())
    for argument in (p for p in shown if p.param_type_name == "argument"):
        name = argument.name.upper() + ("..." if argument.nargs == -1 else "")
        usage += f" {name}" if argument.required else f" [{name}]"
    yield f"\n**`{usage}`** {said}"
    options = [p for p in shown if p.param_type_name == "option"]
    yield from (_option(option) for option in options if option.name not in _EVERYWHERE)
    common = [option for option in options if option.name in _COMMON]
    if common:
        yield "- " + ", ".join(f"`{_COMMON[option.name]}`" for option in common)


def _option(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    text = " ".join((option.help or "").split())
    if option.required:
        text += " Needed."
    elif option.default not in (None, "") and not (option.is_flag or option.multiple):
        text += f" Else {option.default}."
    return f"- {names} {text.strip()}"


if __name__ == "__main__":
    main()
