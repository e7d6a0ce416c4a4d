"""A lent phone: days of somebody else are got over, and can be taken out again."""

from __future__ import annotations

import pytest
from tests.engine.life import BERLIN
from tests.engine.mishap import (
    KNOWN,
    TOWN,
    City,
    experienced,
    home_of,
    learn,
    live,
    place_at,
    score,
)

#: Somebody else in the same town: another home, another office, other errands.
BEN = City(
    49.0,
    8.4,
    BERLIN,
    {
        "home": (-4500.0, 3000.0),
        "work": (4000.0, -4000.0),
        "shop": (1000.0, -6000.0),
        "sport": (-6000.0, 1000.0),
        "friend": (6000.0, -1000.0),
    },
)
#: Lent on Monday and Tuesday, and back in its owner's pocket on Wednesday morning.
LENT_DAYS = 2
BACK = KNOWN + LENT_DAYS
LENT = live(LENT_DAYS, KNOWN, BEN, seed=4)
OWN = live(3, BACK)


def test_after_two_lent_days_the_owner_is_foretold_as_ever() -> None:
    """From the first day on that they have it back."""
    anticipator, plain = experienced(), experienced()
    learn(anticipator, LENT)
    usual, after = score(plain, OWN), score(anticipator, OWN)
    assert len(after.share) == len(usual.share)
    assert after.top1 == 1.0
    assert after.mean > usual.mean - 0.03
    assert home_of(anticipator) == "p1"


def test_the_borrower_s_places_are_no_candidates_on_the_owner_s_ways() -> None:
    anticipator = experienced()
    own = set(anticipator.places)
    learn(anticipator, LENT)
    lent = set(anticipator.places) - own
    assert len(lent) == 3
    said = []
    for sample in OWN:
        anticipator.learn_one(sample)
        found = anticipator.predict_one(sample.time, explains=False)
        if found is not None and sample.time - found.departure > 180.0:
            said.append(max(found.probability_of(place) for place in lent))
    assert max(said) < 0.05


def test_lent_days_that_are_forgotten_leave_no_difference() -> None:
    """Neither in places nor in forecasts: as if the phone had been off."""
    forgot, off = experienced(), experienced()
    learn(forgot, LENT)
    erased = forgot.forget(TOWN.time(KNOWN, 0.0), TOWN.time(BACK, 0.0))
    assert len(erased.places) == 3
    assert forgot.places.keys() == off.places.keys()
    mine, theirs = score(forgot, OWN), score(off, OWN)
    assert mine.share == pytest.approx(theirs.share, abs=0.01)
    assert [t.departure for t in forgot.trips] == [t.departure for t in off.trips]


@pytest.mark.parametrize("days", [7])
def test_lent_for_a_week_home_stays_home(days: int) -> None:
    anticipator = experienced()
    learn(anticipator, live(days, KNOWN, BEN, seed=4))
    assert home_of(anticipator) == "p1"
    assert place_at(anticipator, BEN.point("home")) != "p1"
    assert score(anticipator, live(3, KNOWN + days)).top1 == 1.0
