"""The account of a forecast or suggestion: why, what would change it, what is unused.

It is worked out when somebody asks, from what the mind knows at that moment.
"""

from __future__ import annotations

from trivet.app.mind import Mind
from trivet.domain.why import Why
from trivet.engine.explain import why, why_forecast


def explain(mind: Mind, suggestion: str = "") -> Why:
    """Why a suggestion was made; why this forecast, for an empty id.

    Raises:
        UsageError: no such suggestion waits for an answer.
    """
    if suggestion:
        found = mind.suggestion(suggestion)
        return why(found, mind.suggester.feedback, mind.zone)
    if mind.forecast is not None:
        return why_forecast(mind.forecast, mind.zone)
    return Why(notes=("No trip is running.",))
