"""A skill of one's own in one file: charge the phone on the way.

Tried by `python -m trivet.skills.check my_package:ChargePhone`, and offered to every
trivet beside the package by three lines in its pyproject.toml:

    [project.entry-points."trivet.skills"]
    charge_phone = "my_package:ChargePhone"
"""

from collections.abc import Iterable

from trivet.domain import Need, Reason, Sample, Surface
from trivet.engine.situation import Situation
from trivet.engine.suggest import Suggester
from trivet.skills.check import CHECKS, example, examples, knowing


class ChargePhone:
    """Suggests to plug in the phone when it is low and the drive is long enough."""

    name = "charge_phone"

    def needs(self, situation: Situation) -> Iterable[Need]:
        """One need at most. Whatever is missing: no need."""
        percent = situation.context.number(situation.phone, "batt")
        forecast = situation.forecast
        if percent is None or not 0 <= percent < 25:
            return
        if forecast is None or forecast.arrival is None or not situation.car:
            return
        left_min = (forecast.arrival.median - situation.time) / 60
        if left_min >= 10:
            yield Need(
                skill=self.name,
                key="phone",
                title="Plug in the phone",
                probability=1.0,
                benefit=0.6,
                reasons=(
                    Reason(f"Its battery is at {percent:.0f} %"),
                    Reason(f"You will drive for {left_min:.0f} more minutes"),
                ),
                expires=forecast.arrival.median,
                surfaces=(Surface.CAR, Surface.PHONE),
            )


if __name__ == "__main__":
    skill = ChargePhone()
    evening = example(16.5, "work", "home")
    low = knowing(evening, Sample("phone", "batt", evening.time, 18))
    for check in CHECKS:
        for situation in [*examples(), low]:
            check(skill, situation)
    print(f"{skill.name} keeps all {len(CHECKS)} laws")
    for suggestion in Suggester("ada", [skill]).suggest(low):
        print(f"{suggestion.surface.value}: {suggestion.need.title}")
        for reason in suggestion.need.reasons:
            print(f"  {reason.text}")
