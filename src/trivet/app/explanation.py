"""The account of a forecast or suggestion: why, what would change it, what is unused.

It is worked out when somebody asks, from what the mind knows at that moment.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from trivet.app.fact import fact
from trivet.app.mind import Mind
from trivet.app.trust import Trust
from trivet.app.unused import unused
from trivet.domain import Forecast, Sample
from trivet.domain.clock import clock_text
from trivet.domain.sample import LOCATION
from trivet.domain.why import Why
from trivet.engine import supposition
from trivet.engine.counterfactual import Asker, changes
from trivet.engine.explain import percent, reason_lines, why, why_forecast
from trivet.engine.held import held

#: What the forecast of a trip looks at, of the person's phone.
_LOOKED_AT = (LOCATION, "transition.enter", "transition.leave")


def explain(
    mind: Mind, time: float, suggestion: str = "", trust: Trust | None = None
) -> Why:
    """Why a suggestion was made; why this forecast, for an empty id.

    On no trip it is the forecast of a departure now.

    Args:
        mind: that made it.
        time: event time now.
        suggestion: its id.
        trust: of the device that decides; None where nothing is leased.

    Raises:
        UsageError: no such suggestion waits for an answer.
    """
    if suggestion:
        return _of_suggestion(mind, time, suggestion, trust)
    found = _of_forecast(mind, time)
    if trust is None:
        return found
    looked_at = [(mind.roles.phone, path) for path in _LOOKED_AT]
    first = unused(trust, looked_at)
    rest = [line for line in unused(trust) if line not in first]
    return replace(found, unused=tuple([*first, *rest][:8]))


def explain_held(mind: Mind, time: float) -> Iterator[tuple[str, Why] | None]:
    """What is not said now and would be later: its title, and why not.

    None is given now and then, so that who asks can let others work.
    """
    for found in held(mind.suggester, mind.situation(time)):
        if found is None:
            yield None
            continue
        begins = clock_text(found.time, mind.zone)
        yield (
            found.need.title,
            Why(
                reason_lines(found.need.reasons),
                changes=(
                    f"If all stayed as it is, it would be said from {begins} on.",
                ),
                notes=(found.why_not,),
            ),
        )


def words(mind: Mind, sample: Sample) -> tuple[str, str] | None:
    """What a sample is of and what it says; None for one that is not shown."""
    shown = fact(sample)
    if shown is None:
        return None
    is_home = sample.device == mind.roles.home
    label = shown.label if is_home else f"{shown.label} of {sample.device}"
    return label, shown.text


def _of_suggestion(
    mind: Mind, time: float, suggestion: str, trust: Trust | None
) -> Why:
    found = mind.suggestion(suggestion)
    account = why(found, mind.suggester.feedback, mind.zone)
    asker = Asker(mind.suggester, found, mind.situation(time))
    told = changes(asker, lambda sample: words(mind, sample))
    left_out = () if trust is None else unused(trust, asker.seen)
    return replace(account, changes=tuple(told), unused=tuple(left_out))


def _of_forecast(mind: Mind, time: float) -> Why:
    forecast = mind.forecast
    if forecast is not None:
        told = supposition.changes(mind.anticipator, forecast, mind.zone)
        return replace(why_forecast(forecast, mind.zone), changes=_named(mind, told))
    departure = mind.anticipator.predict_departure(time)
    if departure is None or not mind.anticipator.places:
        return Why(notes=("No trip is running.",))
    return _of_departure(mind, departure)


def _of_departure(mind: Mind, departure: Forecast) -> Why:
    named = mind.namer.forecast(departure, mind.anticipator.places)
    best = named.best
    if not best.place:
        return Why(notes=("No trip is running.",))
    account = why_forecast(named, mind.zone)
    later = supposition.departures(mind.anticipator, named, mind.zone)
    return replace(
        account,
        notes=(
            "No trip is running.",
            f"Setting off now, {best.label} would be likeliest "
            f"({percent(best.probability)}).",
        ),
        changes=_named(mind, [later] if later else []),
    )


def _named(mind: Mind, lines: list[str]) -> tuple[str, ...]:
    places = mind.namer.places(mind.anticipator.places)
    return tuple(mind.namer.text(line, places)[:500] for line in lines)
