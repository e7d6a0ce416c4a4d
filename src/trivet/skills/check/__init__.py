"""A conformance kit for skills, one's own or a third party's: each check is one law.

    import pytest
    from trivet.skills.check import CHECKS, examples

    @pytest.mark.parametrize("check", CHECKS)
    def test_umbrella_keeps_the_laws(check):
        for situation in examples():
            check(Umbrella(), situation)

A check raises AssertionError with the law that is broken. A skill that needs more
than `examples` holds is checked with situations of its own. With no test at all:

    python -m trivet.skills.check my_package:Umbrella
"""

from trivet.skills.check.example import (
    LAT,
    LON,
    FixedAtlas,
    example,
    example_far,
    example_new,
    examples,
    knowing,
)
from trivet.skills.check.hostile import hostile
from trivet.skills.check.law import CHECKS, MOST_NEEDS, Check, missing

__all__ = [
    "CHECKS",
    "LAT",
    "LON",
    "MOST_NEEDS",
    "Check",
    "FixedAtlas",
    "example",
    "example_far",
    "example_new",
    "examples",
    "hostile",
    "knowing",
    "missing",
]
