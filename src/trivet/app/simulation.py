"""A simulated household on the fabric: who plays which part, and how time passes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from operator import attrgetter

from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from trivet.app.hub import Hub
from trivet.app.mind import Mind, Roles
from trivet.app.part import WISHES, Part
from trivet.app.picture import Scene
from trivet.app.trust import MADE, Household, Trust
from trivet.app.zone import fixed_zone
from trivet.atlas import MemoryAtlas
from trivet.devices.world import World
from trivet.devices.world.entity import HOME
from trivet.devices.world.phone import PHONE
from trivet.devices.world.vehicle import CAR
from trivet.domain import DeviceKind, Sample
from trivet.engine.student import Student
from trivet.fabric.access import Party
from trivet.fabric.ledger import Ledger
from trivet.fabric.link import Link
from trivet.fabric.policy import shipped_policy
from trivet.skills.registry import load

#: What each device of the simulated household is, told without starting it.
DEVICES = {DeviceKind.PHONE: PHONE, DeviceKind.CAR: CAR, DeviceKind.HOME: HOME}
#: Days that the household has lived before the demo begins, which the mind learns.
LEARNED_DAYS = 53
#: Of them the last ones that the home remembers of itself: how fast it warms, what is
#: done there each time before leaving.
HOME_DAYS = 28
DAY_S = 86_400.0


def first_day(world: World) -> float:
    """Event time at which the demo begins: six in the morning, a Friday."""
    return world.start_time + LEARNED_DAYS * DAY_S + 6 * 3600.0


def make_hub(world: World, link: Link, trust: Trust, start: float) -> Hub:
    """The home of the simulated household, with all days before `start` learned."""
    hub = make_young_hub(world, link, trust, start)
    recall(hub, world, learn_past(world, start), start)
    return hub


def make_young_hub(world: World, link: Link, trust: Trust, start: float) -> Hub:
    """The same home with nothing learned yet; `recall` gives it its past."""
    part = make_part(world, DeviceKind.HOME, link, trust, start)
    return make_hub_of(part, world, start)


def make_hub_of(
    part: Part, world: World, start: float, student: Student | None = None
) -> Hub:
    """What a device needs to lead, with nothing learned yet."""
    scene = Scene(world.notice, world.roads, world.points_of_interest)
    hub = Hub(part, _make_mind(world, student), scene)
    hub.time = start
    return hub


def learn_past(world: World, start: float, student: Student | None = None) -> bytes:
    """What a mind learns of all days before `start` but the last one."""
    mind, until = _make_mind(world, student), start - DAY_S
    begin = max(world.start_time, start - HOME_DAYS * DAY_S)
    home = world.adapter(DeviceKind.HOME, begin).samples(until)
    for sample in _merged(home, world.history(world.start_time, until)):
        mind.learn(sample)
    return mind.snapshot()


def recall(hub: Hub, world: World, past: bytes, start: float) -> None:
    """Give a hub what `learn_past` learned up to `start`, and what came after.

    The mind then is the same as one that learned every day itself.
    """
    mind = hub.mind
    mind.recall(past)
    begin = max(world.start_time, hub.time - HOME_DAYS * DAY_S)
    home = world.adapter(DeviceKind.HOME, begin).samples(hub.time)
    for sample in _merged(home, world.history(start - DAY_S, hub.time)):
        mind.learn(sample)
    mind.step(hub.time)
    mind.lines.clear()
    trips, places = len(mind.anticipator.trips), len(mind.anticipator.places)
    text = f"{LEARNED_DAYS} days learned: {trips} trips, {places} places"
    mind.note(hub.time, text, [])


def _merged(*parts: Iterable[Sample]) -> Iterator[Sample]:
    """Samples of several devices in order of event time."""
    return merge(*parts, key=attrgetter("time"))


def _make_mind(world: World, student: Student | None) -> Mind:
    atlas = MemoryAtlas(world.points_of_interest, world.notice)
    return Mind(Roles(), fixed_zone(world.zone), load(), atlas, student)


def make_part(
    world: World, kind: DeviceKind, link: Link, trust: Trust, start: float
) -> Part:
    """A device of the simulated household."""
    trust.attach(link, WISHES[kind])
    return Part(world.adapter(kind, start), link, trust)


def make_trust(
    world: World,
    kind: DeviceKind,
    household: Household,
    ledger: Ledger,
    start: float,
    private: ec.EllipticCurvePrivateKey | None = None,
) -> Trust:
    """What stands between a device of the simulated household and the others."""
    device = DEVICES[kind]
    if kind in (DeviceKind.HOME, DeviceKind.PHONE):  # which may lead
        device = replace(device, signals=(*device.signals, *MADE))
    return Trust(device, household, ledger, start, zone=world.zone, private=private)


def simulated_household() -> Household:
    """Phone, car and home under the policy that is shipped."""
    kinds = (DeviceKind.PHONE, DeviceKind.CAR, DeviceKind.HOME)
    members = {kind.value: Party(kind.value, kind) for kind in kinds}
    return Household(members, shipped_policy())
