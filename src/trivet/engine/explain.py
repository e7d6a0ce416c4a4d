"""Explain: why something was suggested or forecast, in plain lines with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from trivet.domain.clock import clock_text
from trivet.domain.forecast import Forecast, Interval, Prospect, Reason
from trivet.domain.suggestion import Suggestion
from trivet.domain.why import Why
from trivet.engine.feedback import Feedback

#: Reasons and alternatives shown; more tell a person nothing.
MAX_REASONS = 3
MAX_OTHERS = 2


def why(suggestion: Suggestion, feedback: Feedback, zone: tzinfo) -> Why:
    """Why a suggestion was made; what would change it is asked apart.

    Args:
        suggestion: what was said.
        feedback: the answers so far of the same person.
        zone: the time zone to write times in.
    """
    need = suggestion.need
    if need.is_safety:
        judged = "This is about safety, so it is said at once and not counted."
    else:
        judged = _judgement(suggestion, feedback)
    silence_s = feedback.silence_if_refused_s(
        need.skill, need.key, grows=not need.is_safety
    )
    return Why(
        reason_lines(need.reasons),
        notes=(
            judged,
            f"It goes away by itself at {clock_text(need.expires, zone)}.",
            f'"Not now" keeps this quiet for {_duration_text(silence_s)}, '
            "and on a trip until it ends.",
        ),
    )


def why_forecast(forecast: Forecast, zone: tzinfo) -> Why:
    """Why a trip is thought to go where it goes; what would change it is asked apart.

    Args:
        forecast: of the running trip.
        zone: the time zone to write times in.
    """
    if not forecast.candidates:
        return Why(notes=("Nothing is known yet of where this trip is going.",))
    best, *others = forecast.candidates
    doubt = "" if forecast.is_sure else "; it may well be elsewhere"
    notes = [f"{percent(best.probability)} to {best.label}{doubt}."]
    arrival = best.arrival or forecast.arrival
    if arrival is not None:
        notes.append(_arrival_line(arrival, zone))
    likely = [other for other in others if other.probability >= 0.01][:MAX_OTHERS]
    if likely:
        listed = ", ".join(
            f"{other.label} {percent(other.probability)}" for other in likely
        )
        notes.append(f"Otherwise: {listed}.")
    notes += [_prospect_line(found) for found in forecast.prospects]
    return Why(reason_lines(best.reasons), notes=tuple(notes))


def _prospect_line(found: Prospect) -> str:
    """What on the map somewhere new may be, and why."""
    line = f"Somewhere new may be {found.label} {percent(found.probability)}"
    return f"{line}: {found.reason.text}."[:500] if found.reason else f"{line}."


def percent(probability: float) -> str:
    """A probability as a person reads it: 72 %. Never 0 % or 100 %: nothing is sure."""
    return f"{min(99, max(1, round(100 * probability)))} %"


def interval_text(interval: Interval, zone: tzinfo) -> str:
    """An interval as local times: 17:50 to 18:10."""
    low, high = clock_text(interval.low, zone), clock_text(interval.high, zone)
    return low if low == high else f"{low} to {high}"


def reason_lines(reasons: Sequence[Reason]) -> tuple[str, ...]:
    """The strongest reasons, each as one sentence with its numbers."""
    return tuple(_with_evidence(reason)[:500] for reason in reasons[:MAX_REASONS])


def _with_evidence(reason: Reason) -> str:
    text = reason.text.rstrip(".")
    text = text[:1].upper() + text[1:]
    if reason.count is None or str(reason.count) in text:
        return f"{text}."
    if reason.of is None:
        return f"{text} ({reason.count} times)."
    return f"{text} ({reason.count} of {reason.of})."


def _judgement(suggestion: Suggestion, feedback: Feedback) -> str:
    need = suggestion.need
    tally = feedback.tally(need.skill)
    chance = f"The chance that you want this is put at {percent(need.probability)}"
    if tally.asked == 0:
        return f"{chance}; you have answered no suggestion of this kind yet."
    times = "time" if tally.asked == 1 else "times"
    return f"{chance}; you said yes {tally.yes} of {tally.asked} {times} so far."


def _duration_text(seconds: float) -> str:
    hours = round(seconds / 3600)
    return f"{hours} hours" if hours < 48 else f"{round(hours / 24)} days"


def _arrival_line(arrival: Interval, zone: tzinfo) -> str:
    return (
        f"Arrival {interval_text(arrival, zone)}, most likely "
        f"{clock_text(arrival.median, zone)}; "
        f"{round(10 * arrival.level)} of 10 such trips end in that time."
    )
