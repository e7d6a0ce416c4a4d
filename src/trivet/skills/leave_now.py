"""Leave now: when to set out so as to be at an appointment in time.

Speaks some minutes before the latest moment to leave, which is reckoned with the long
end of the time that the way takes this person; silent where the calendar does not say
where, when they are there, and when they are on the way there already.
"""

from __future__ import annotations

from collections.abc import Iterable

from trivet.domain.appointment import Appointment
from trivet.domain.clock import clock_text
from trivet.domain.forecast import Reason
from trivet.domain.geo import distance_m
from trivet.domain.suggestion import Need, Surface
from trivet.engine.explain import percent
from trivet.engine.situation import Situation
from trivet.engine.travel import Travel, minutes, travel_between
from trivet.engine.venue import Venue, venue_of
from trivet.engine.whereabouts import position_of

#: Said so long before the latest moment to leave: shoes, coat, the way to the car.
READY_S = 10 * 60.0
#: Who should have left this long ago has decided otherwise.
TOO_LATE_S = 15 * 60.0
#: Appointments further ahead than the longest way are not looked at.
AHEAD_S = 6 * 3600.0
#: Within this distance one is there.
THERE_M = 250.0
#: From this probability on the running trip goes there.
GOING = 0.3
#: A forecast's destination this near the venue is it.
SAME_M = 300.0
#: Who set out and came this much nearer, as a share, is on the way there.
NEARER = 0.15
#: That somebody goes to what stands in their calendar with a place.
P_GOES = 0.85
#: A point far off that is in no trip of theirs may be a call, or somebody else's.
P_FAR, UNKNOWN_FAR_M = 0.4, 60_000.0
BENEFIT = 0.8


class LeaveNow:
    """Says when to leave for the next appointment."""

    name = "leave_now"

    def needs(self, situation: Situation) -> Iterable[Need]:
        """One need at most: the next appointment that is not here."""
        for appointment in situation.appointments:
            ahead_s = appointment.start - situation.time
            if appointment.is_all_day or not -TOO_LATE_S < ahead_s < AHEAD_S:
                continue
            need = _need(situation, appointment)
            if need is not None:
                yield need
                return


def _need(situation: Situation, appointment: Appointment) -> Need | None:
    here = _here(situation)
    if here is None:
        return None
    lat, lon = here
    ahead_s = appointment.start - situation.time
    venue = venue_of(situation, appointment)
    if venue is None or (venue.place and venue.place == situation.at):
        return None
    away_m = distance_m(lat, lon, venue.lat, venue.lon)
    if away_m <= THERE_M:
        return None
    travel = travel_between(situation, situation.at, venue.place, away_m)
    latest = appointment.start - travel.high_s
    is_due = latest - READY_S <= situation.time <= latest + TOO_LATE_S
    # with no time left for even the fastest way, nobody needs to be told to leave
    if not is_due or ahead_s <= 0.0 or _is_going(situation, venue, away_m):
        return None
    probability = P_GOES
    if not venue.place and away_m > UNKNOWN_FAR_M:
        probability = P_FAR
    forecast = situation.forecast
    if forecast is not None and venue.place:
        probability *= 1.0 - min(1.0, forecast.probability_of(venue.place))
    return Need(
        skill=LeaveNow.name,
        key=f"{appointment.id}@{appointment.start:.0f}",
        title=_title(situation, appointment, venue, travel, latest),
        probability=probability,
        benefit=BENEFIT,
        reasons=_reasons(situation, appointment, venue, travel),
        expires=appointment.start,
        surfaces=(Surface.CAR, Surface.PHONE, Surface.HOME),
    )


def _here(situation: Situation) -> tuple[float, float] | None:
    """Where the person is; at a place known by its point, that."""
    place = situation.places.get(situation.at)
    if place is not None and place.lat is not None and place.lon is not None:
        return place.lat, place.lon
    return position_of(situation)


def _is_going(situation: Situation, venue: Venue, away_m: float) -> bool:
    """Whether the running trip leads to the venue, by the forecast or by its course."""
    forecast = situation.forecast
    if forecast is None:
        return False
    there = sum(
        candidate.probability
        for candidate in forecast.candidates
        if (venue.place and candidate.place == venue.place)
        or _is_same(venue, candidate.lat, candidate.lon)
    )
    if there >= GOING:
        return True
    origin = situation.places.get(forecast.origin)
    if origin is None or origin.lat is None or origin.lon is None:
        return False
    began_m = distance_m(origin.lat, origin.lon, venue.lat, venue.lon)
    return away_m < (1.0 - NEARER) * began_m


def _is_same(venue: Venue, lat: float | None, lon: float | None) -> bool:
    if lat is None or lon is None:
        return False
    return distance_m(lat, lon, venue.lat, venue.lon) <= SAME_M


def _title(
    situation: Situation,
    appointment: Appointment,
    venue: Venue,
    travel: Travel,
    latest: float,
) -> str:
    what = appointment.title or venue.label
    if latest > situation.time:
        when = f"Leave by {clock_text(latest, situation.zone)}"
    else:
        when = "Leave now"
    return f"{when} for {what[:120]} ({travel.text})"[:200]


def _reasons(
    situation: Situation, appointment: Appointment, venue: Venue, travel: Travel
) -> tuple[Reason, ...]:
    start = clock_text(appointment.start, situation.zone)
    where = f" at {venue.label[:120]}" if venue.label != appointment.title else ""
    left = minutes(appointment.start - situation.time)
    reasons = [
        Reason(f"{appointment.title[:150] or 'It'} begins at {start}{where}"),
        travel.reason,
    ]
    low = situation.time + travel.low_s
    if low > appointment.start:
        at = clock_text(low, situation.zone)
        reasons.append(Reason(f"Leaving now you are there at {at} at the earliest"))
    else:
        reasons.append(Reason(f"It begins in {left} min"))
    forecast = situation.forecast
    if forecast is not None and forecast.candidates and forecast.best.place:
        best = forecast.best
        text = f"{percent(best.probability)} you are on the way to {best.label}"
        reasons.append(Reason(text[:500]))
    return tuple(reasons)
