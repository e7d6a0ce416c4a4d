"""Feedback: what a person said to suggestions, and what that says of the next one.

From each answer two things are learnt: how far the skill's claims are borne out
(`engine.acceptance`), and how long to be silent about what was answered. After "no"
the same is not said again that day, on that trip, or while the need lasts; each further
"no" in a row keeps it quiet longer.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from trivet.domain.error import InputError
from trivet.domain.suggestion import AnswerKind
from trivet.engine.acceptance import HALF_LIFE_S, Beta, Taste, bucket_of

VERSION = 2
#: An ignored suggestion speaks against a skill half as loud as a refusal.
IGNORED_WEIGHT = 0.5
#: Silence after the first "not now" in a row, the factor of each further one, the most.
REFUSED_S = 20 * 3600.0
REFUSED_GROWTH = 3.0
REFUSED_MOST_S = 30 * 86400.0
#: Silence of safety after any "not now".
SAFETY_S = 4 * 3600.0
#: The same after a suggestion that was ignored.
IGNORED_S = 3600.0
IGNORED_GROWTH = 2.0
IGNORED_MOST_S = 86400.0
#: Silence after "yes": what was accepted is not offered again at once.
ACCEPTED_S = 3600.0
#: Keys remembered one by one; the oldest beyond are merged into their skill's total.
MAX_KEYS = 1000
#: Lessons are kept so long: by then they have faded to a sixteenth. What was refused is
#: kept longer, and the most lessons of a person are so many.
KEPT_S, REFUSED_KEPT_S = 4 * HALF_LIFE_S, 2 * 365 * 86400.0
MAX_LESSONS = 2000

_AGAINST = (AnswerKind.NOT_NOW, AnswerKind.UNDONE)
_WEIGHT = {
    AnswerKind.YES: 1.0,
    AnswerKind.NOT_NOW: -1.0,
    AnswerKind.UNDONE: -1.0,
    AnswerKind.IGNORED: -IGNORED_WEIGHT,
}


class Tally(msgspec.Struct, frozen=True):
    """How often a person said what; what was undone had been a yes before."""

    yes: int = 0
    not_now: int = 0
    ignored: int = 0
    undone: int = 0

    @property
    def asked(self) -> int:
        """Suggestions that came to an end."""
        return self.yes + self.not_now + self.ignored

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.yes + other.yes,
            self.not_now + other.not_now,
            self.ignored + other.ignored,
            self.undone + other.undone,
        )


class Hush(msgspec.Struct, frozen=True):
    """Why a skill is silent about a key, and for how long.

    Attributes:
        until: event time up to which it is silent.
        event: departure of the trip on which it was answered, 0 when on none; it
            stays silent for the whole of that trip.
        kind: the last answer.
        row: how often that answer was given in a row, 0 when never.
        time: event time of the last answer.
        grows: whether repeated refusals lengthen the silence; safety's do not.
    """

    until: float
    event: float
    kind: AnswerKind
    row: int
    time: float
    grows: bool = True


class Lesson(msgspec.Struct, frozen=True):
    """One answer, with all that is learnt from it: what another device must be told.

    Attributes:
        suggestion: id of the suggestion that was answered.
        person: who answered.
        skill: whose suggestion it was.
        key: what it was about.
        kind: what the person said.
        time: event time of the answer.
        hour: local hour at which it was suggested.
        until: event time at which the need itself ends; silent at least till then.
        event: departure of the running trip, 0 when there was none.
        grows: whether repeated refusals lengthen the silence; safety's do not.
        chance: that it was wanted, as the skill claimed.
    """

    suggestion: str
    person: str
    skill: str
    key: str
    kind: AnswerKind
    time: float
    hour: float
    until: float = 0.0
    event: float = 0.0
    grows: bool = True
    chance: float = 1.0


def outdated(lessons: Iterable[Lesson], time: float) -> list[str]:
    """Ids of lessons that no longer matter at an event time, oldest first.

    A refusal matters longer than the rest, and goes last when there are too many.
    """
    by_person: dict[str, list[Lesson]] = {}
    for lesson in lessons:
        by_person.setdefault(lesson.person, []).append(lesson)
    found = []
    for own in by_person.values():
        # those to go first come first
        own.sort(key=lambda each: (each.kind in _AGAINST, each.time, each.suggestion))
        most = len(own) - MAX_LESSONS
        for index, lesson in enumerate(own):
            kept_s = REFUSED_KEPT_S if lesson.kind in _AGAINST else KEPT_S
            if index < most or lesson.time < time - kept_s:
                found.append(lesson)
    found.sort(key=lambda each: (each.time, each.suggestion))
    return [lesson.suggestion for lesson in found]


class _Count(msgspec.Struct, frozen=True):
    skill: str
    key: str
    bucket: int
    tally: Tally


class _Silence(msgspec.Struct, frozen=True):
    skill: str
    key: str
    hush: Hush


class _State(msgspec.Struct, frozen=True):
    version: int
    counts: list[_Count]
    silences: list[_Silence]
    time: float
    evidence: list[tuple[str, int, float, float]]


class Feedback:
    """Answers of one person. Pure: event time is passed in."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str, int], Tally] = {}
        self._hushes: dict[tuple[str, str], Hush] = {}
        self._taste = Taste()

    @classmethod
    def of(cls, lessons: Iterable[Lesson]) -> Feedback:
        """What all these lessons say, whatever order they are given in."""
        feedback = cls()
        for lesson in sorted(lessons, key=lambda each: (each.time, each.suggestion)):
            feedback.take_up(lesson)
        return feedback

    def take_up(self, lesson: Lesson) -> None:
        """Take up one answer, given on this device or on another."""
        self.learn_one(
            lesson.skill,
            lesson.key,
            lesson.kind,
            lesson.time,
            lesson.hour,
            until=lesson.until,
            event=lesson.event,
            grows=lesson.grows,
            chance=lesson.chance,
        )

    def learn_one(
        self,
        skill: str,
        key: str,
        kind: AnswerKind,
        time: float,
        hour: float,
        *,
        until: float = 0.0,
        event: float = 0.0,
        grows: bool = True,
        chance: float = 1.0,
    ) -> None:
        """Take up one answer.

        Args:
            skill: whose suggestion it was.
            key: what it was about.
            kind: what the person said.
            time: event time of the answer.
            hour: local hour at which it was suggested.
            until: event time at which the need itself ends; silent at least till then.
            event: departure of the running trip, 0 when there is none.
            grows: whether repeated refusals lengthen the silence; safety's do not.
            chance: that it was wanted, as the skill claimed.
        """
        slot = (skill, key, bucket_of(hour))
        self._tallies[slot] = self._tallies.get(slot, Tally()) + Tally(
            yes=int(kind is AnswerKind.YES),
            not_now=int(kind is AnswerKind.NOT_NOW),
            ignored=int(kind is AnswerKind.IGNORED),
            undone=int(kind is AnswerKind.UNDONE),
        )
        if kind is AnswerKind.UNDONE:
            self._taste.take_back(skill, hour)
        self._taste.learn_one(skill, hour, time, _WEIGHT[kind], chance)
        before = self._hushes.get((skill, key))
        if before is not None and before.time > time:
            return  # another device told it late: what was said since stands
        row = self._row(skill, key, kind)
        silence_s = _silence_s(kind, row, grows)
        self._hushes[skill, key] = Hush(
            max(time + silence_s, until), event, kind, row, time, grows
        )
        self._forget_oldest()

    def silence(
        self, skill: str, key: str, time: float, until: float, event: float = 0.0
    ) -> None:
        """Keep a key quiet with no answer learnt: its need went away by itself."""
        before = self._hushes.get((skill, key))
        if before is None:
            before = Hush(until, event, AnswerKind.IGNORED, 0, time)
        self._hushes[skill, key] = msgspec.structs.replace(
            before, until=max(before.until, until), event=event, time=time
        )
        self._forget_oldest()

    def acceptance(
        self, skill: str, hour: float | None = None, time: float | None = None
    ) -> Beta:
        """How far a claim of `skill` is borne out, see `Taste.acceptance`."""
        return self._taste.acceptance(skill, hour, time)

    def tally(self, skill: str = "", key: str = "", bucket: int | None = None) -> Tally:
        """Answers so far; of one skill, one key, one part of the day where given."""
        total = Tally()
        for (a_skill, a_key, a_bucket), tally in self._tallies.items():
            if (
                skill in ("", a_skill)
                and key in ("", a_key)
                and bucket in (None, a_bucket)
            ):
                total += tally
        return total

    def hush(self, skill: str, key: str) -> Hush | None:
        """What the last answer about this key asks for, None when there was none."""
        return self._hushes.get((skill, key))

    def is_silent(self, skill: str, key: str, time: float, event: float = 0.0) -> bool:
        """Whether the skill must not speak of the key at this time, on this trip."""
        hush = self._hushes.get((skill, key))
        if hush is None:
            return False
        return time < hush.until or (event > 0.0 and event == hush.event)

    def answered_since(self, time: float) -> int:
        """How many things were answered, or ignored, since a time; safety aside."""
        return sum(
            hush.row > 0 and hush.grows and hush.time >= time
            for hush in self._hushes.values()
        )

    def silence_if_refused_s(self, skill: str, key: str, grows: bool = True) -> float:
        """How long a "not now" would silence the key, in seconds."""
        kind = AnswerKind.NOT_NOW
        return _silence_s(kind, self._row(skill, key, kind), grows)

    def snapshot(self) -> bytes:
        """All that was learnt, as JSON that its owner can read."""
        return msgspec.json.encode(
            _State(
                VERSION,
                [_Count(*slot, tally) for slot, tally in sorted(self._tallies.items())],
                [_Silence(*key, hush) for key, hush in sorted(self._hushes.items())],
                *self._taste.state(),
            )
        )

    @classmethod
    def restore(cls, data: bytes) -> Feedback:
        """The feedback that `snapshot` gave.

        Raises:
            InputError: `data` is no snapshot of this version.
        """
        try:
            state = msgspec.json.decode(data, type=_State)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"not a feedback snapshot: {error}") from error
        if state.version != VERSION:
            raise InputError(
                f"feedback snapshot of version {state.version}, "
                f"this trivet reads {VERSION}",
                hint="update trivet, or remove the file to learn the answers anew",
            )
        feedback = cls()
        for count in state.counts:
            slot = (count.skill, count.key, count.bucket)
            feedback._tallies[slot] = count.tally
        for silence in state.silences:
            feedback._hushes[silence.skill, silence.key] = silence.hush
        feedback._taste.restore(state.time, state.evidence)
        return feedback

    def _row(self, skill: str, key: str, kind: AnswerKind) -> int:
        before = self._hushes.get((skill, key))
        return before.row + 1 if before is not None and before.kind is kind else 1

    def _forget_oldest(self) -> None:
        if len(self._hushes) <= MAX_KEYS:
            return
        # the skill's own rate stays exactly what it was: only the key is forgotten
        oldest = min(self._hushes, key=lambda key: self._hushes[key].time)
        del self._hushes[oldest]
        for slot in [slot for slot in self._tallies if slot[:2] == oldest]:
            merged = (slot[0], "", slot[2])
            tally = self._tallies.pop(slot)
            self._tallies[merged] = self._tallies.get(merged, Tally()) + tally


def _silence_s(kind: AnswerKind, row: int, grows: bool) -> float:
    steps = min(row - 1, 20)
    if kind in _AGAINST and not grows:
        return SAFETY_S
    if kind in _AGAINST:
        return min(REFUSED_S * REFUSED_GROWTH**steps, REFUSED_MOST_S)
    if kind is AnswerKind.IGNORED:
        return min(
            IGNORED_S * IGNORED_GROWTH ** (steps if grows else 0), IGNORED_MOST_S
        )
    return ACCEPTED_S
