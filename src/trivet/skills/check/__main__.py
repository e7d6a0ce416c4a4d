"""Holds a skill to the laws from the command line.

python -m trivet.skills.check NAME | MODULE:CLASS

Prints each law, kept or broken with the reason, and how long the skill takes for a
situation on this machine. Ends with 1 when a law is broken.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from statistics import median
from time import perf_counter

from trivet.domain.error import TrivetError
from trivet.engine.situation import Situation, Skill
from trivet.skills.check.example import examples
from trivet.skills.check.law import CHECKS, Check
from trivet.skills.registry import GROUP, load, make

#: What a skill may take for one situation; it is printed beside, and no law.
BUDGET_MS = 20.0


def main(arguments: Sequence[str]) -> int:
    """Check one skill; 0 when it keeps every law, 1 when not, 2 when there is none."""
    if len(arguments) != 1:
        _say("usage: python -m trivet.skills.check NAME | MODULE:CLASS")
        return 2
    try:
        skill = _named(arguments[0])
    except TrivetError as error:
        _say(f"{error}\n{error.hint or ''}".rstrip())
        return 2
    situations = examples()
    broken = 0
    for check in CHECKS:
        fault = _fault(check, skill, situations)
        broken += bool(fault)
        name = check.__name__.removeprefix("check_").replace("_", " ")
        _say(f"  {'BROKEN' if fault else 'kept':<7}{name}")
        if fault:
            _say(f"         {fault}")
    try:
        took = sorted(_took_ms(skill, situation) for situation in situations)
    except Exception as error:
        _say(f"  how long it takes is not known: it raises {error!r}")
        return 1
    _say(
        f"  {skill.name} takes {median(took):.1f} ms for a situation, {took[-1]:.1f} "
        f"ms at the most; {BUDGET_MS:g} ms are thought for it"
    )
    return int(broken > 0)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _named(word: str) -> Skill:
    """The skill of that module and class, or that is installed by that name."""
    if ":" in word:
        return make(EntryPoint(word, word, GROUP))
    (skill,) = load([word])
    return skill


def _fault(check: Check, skill: Skill, situations: Sequence[Situation]) -> str:
    for situation in situations:
        try:
            check(skill, situation)
        except Exception as error:  # a law that fails of itself is a law broken
            cause = f" ({error.__cause__!r})" if error.__cause__ else ""
            return f"{str(error) or type(error).__name__}{cause}"
    return ""


def _took_ms(skill: Skill, situation: Situation) -> float:
    begin = perf_counter()
    list(skill.needs(situation))
    return (perf_counter() - begin) * 1000.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
