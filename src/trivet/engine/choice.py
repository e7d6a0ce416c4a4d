"""Choices: the log of what was weighed, how likely it was to be said, what came of it.

A need is one choice a day, however often it is looked at: the moment at which it had
its best chance counts. With the chance in the log, policies can be compared on it
afterwards (`engine.offpolicy`). The log is bounded; of the past days the oldest go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Annotated, TypeAlias

import msgspec

from trivet.domain.error import InputError
from trivet.domain.forecast import Probability
from trivet.domain.suggestion import AnswerKind

#: Settled choices kept: about a year of a household that is told three things a day.
MAX_CHOICES = 4000
#: A price in the unit of benefit, in any household's own scale.
Price: TypeAlias = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]


class Choice(msgspec.Struct, frozen=True):
    """One need, weighed on one day.

    Attributes:
        person: who would be told.
        skill: whose need it is.
        key: what it is about.
        day: the local date; `#2` follows when it came up again after it was said.
        time: event time at which it had its best chance, or was said.
        hour: the local hour then.
        chance: that it is wanted, as the skill claimed.
        benefit: to the person if so.
        cost: of interrupting.
        wrong: price of saying what is not wanted.
        alpha: of the acceptance then, the weight of yes.
        beta: of the acceptance then, the weight of no.
        propensity: chance that it was said by then, over the draw.
        is_said: whether it was.
        suggestion: its id, empty when it was not said.
        answer: what came of it; None when it was not said, or its need went away.
    """

    person: str
    skill: str
    key: str
    day: str
    time: float
    hour: float
    chance: Probability
    benefit: Probability
    cost: Price
    wrong: Price
    alpha: float
    beta: float
    propensity: Probability
    is_said: bool = False
    suggestion: str = ""
    answer: AnswerKind | None = None

    @property
    def date(self) -> str:
        """The day, whichever time it came up on it."""
        return self.day.partition("#")[0]

    @property
    def reward(self) -> float:
        """What it earned: nothing when not said; its cost when its need went away."""
        if not self.is_said:
            return 0.0
        if self.answer is None:
            return -self.cost
        return reward_of(self, is_yes=self.is_yes)

    @property
    def is_yes(self) -> bool:
        """Whether it was said and taken."""
        return self.answer is AnswerKind.YES


def reward_of(choice: Choice, *, is_yes: bool) -> float:
    """What saying it earns, if it is taken or if it is not."""
    return (choice.benefit if is_yes else -choice.wrong) - choice.cost


class ChoiceState(msgspec.Struct, frozen=True):
    """The log as it is kept."""

    weighed: list[Choice]
    said: list[Choice]
    settled: list[Choice]


class ChoiceLog:
    """Takes up what is weighed, said and answered; gives what is settled."""

    def __init__(self) -> None:
        self.settled: deque[Choice] = deque(maxlen=MAX_CHOICES)
        #: of today, not said yet, by skill and key
        self._weighed: dict[tuple[str, str], Choice] = {}
        #: said with no answer yet, by the suggestion's id
        self._said: dict[str, Choice] = {}

    def weigh(self, choice: Choice) -> None:
        """Take up one look at a need; the best chance of the day is kept."""
        slot = (choice.skill, choice.key)
        known = self._weighed.get(slot)
        if known is not None and known.day != choice.day:
            self.settled.append(known)
            known = None
        if known is None or choice.propensity > known.propensity:
            self._weighed[slot] = choice

    def say(self, choice: Choice, suggestion: str) -> None:
        """Take up that it is said now, as the suggestion of that id."""
        self._weighed.pop((choice.skill, choice.key), None)
        self._said[suggestion] = msgspec.structs.replace(
            choice, is_said=True, suggestion=suggestion
        )

    def settle(self, suggestion: str, answer: AnswerKind | None) -> None:
        """Take up what came of a suggestion: None when its need went away."""
        choice = self._said.pop(suggestion, None)
        if choice is not None:
            self.settled.append(msgspec.structs.replace(choice, answer=answer))

    def undo(self, suggestion: str) -> None:
        """Take up that a yes was undone."""
        for index, choice in enumerate(self.settled):
            if choice.suggestion == suggestion and choice.is_said:
                undone = msgspec.structs.replace(choice, answer=AnswerKind.UNDONE)
                self.settled[index] = undone

    def forget(self, since: float, until: float) -> None:
        """Forget what was weighed from event time `since` on, before `until`."""
        kept = [one for one in self.settled if not since <= one.time < until]
        self.settled = deque(kept, maxlen=MAX_CHOICES)
        for slot, one in list(self._weighed.items()):
            if since <= one.time < until:
                del self._weighed[slot]
        for id_, one in list(self._said.items()):
            if since <= one.time < until:
                del self._said[id_]

    def turn(self, day: str) -> None:
        """A local day has begun: what was weighed before it was not said."""
        for slot, choice in list(self._weighed.items()):
            if choice.date != day:
                self.settled.append(self._weighed.pop(slot))

    def recall(self, past: Iterable[Choice]) -> None:
        """Take up what was settled before all that is known."""
        self.settled = deque([*past, *self.settled], maxlen=MAX_CHOICES)

    def state(self) -> ChoiceState:
        """All of it, to go on from later."""
        return ChoiceState(
            list(self._weighed.values()), list(self._said.values()), list(self.settled)
        )

    def restore(self, state: ChoiceState) -> None:
        """Go on from what `state` gave."""
        self._weighed = {(one.skill, one.key): one for one in state.weighed}
        self._said = {one.suggestion: one for one in state.said}
        self.settled = deque(state.settled, maxlen=MAX_CHOICES)


def to_lines(choices: Iterable[Choice]) -> bytes:
    """The choices as JSON lines, one a line."""
    return b"".join(msgspec.json.encode(choice) + b"\n" for choice in choices)


def from_lines(data: bytes) -> list[Choice]:
    """What `to_lines` wrote.

    Raises:
        InputError: a line is no choice; says which.
    """
    choices = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            choices.append(msgspec.json.decode(line, type=Choice))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(
                f"line {number} is no choice: {error}",
                hint="give it what `trivet choices export` wrote",
            ) from error
    return choices
