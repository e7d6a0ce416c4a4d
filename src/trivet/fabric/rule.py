"""Access rules by certificate name: who may say and hear what over which link; pure.

Zenoh knows one name on a link: the neighbour's, out of its certificate. Where the two
ends are device and device, a device speaks for itself and hears its own. Where one end
is a router, what crosses the link is of many, so:

- a router holds each device at its edge to that device's own name;
- a device believes a router who it was that spoke, and lets it say only what members
  say to this device;
- of another router a router takes what members say to each other.

Source: Zenoh 1.10, `access_control` in `DEFAULT_CONFIG.json5`: default deny, and a rule
allows what its key expressions include.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from trivet.fabric import key

#: In a key: whoever it may be. A router cannot hold a neighbour to what it is told, so
#: the recipients behind it are not listed one by one.
ANYBODY = ("*",)


class Neighbourhood(msgspec.Struct, frozen=True):
    """A device and whom it may be linked to.

    Attributes:
        household: the household's name.
        me: the device's id.
        members: ids of the devices that may speak here.
        routers: those of them that pass on what other members say.
        is_router: whether this device does.
    """

    household: str
    me: str
    members: tuple[str, ...]
    routers: tuple[str, ...] = ()
    is_router: bool = False

    def others(self) -> tuple[str, ...]:
        """The members that this device may be linked to, and the routers."""
        named = dict.fromkeys((*self.members, *self.routers))
        return tuple(key.check_id(each) for each in named if each != self.me)

    def behind(self, other: str) -> tuple[str, ...]:
        """Whose words may come over the link with `other`."""
        return self.others() if other in self.routers else (other,)

    def before(self, other: str) -> tuple[str, ...]:
        """For whom words may go out over the link with `other`."""
        return ANYBODY if other in self.routers else (other,)

    def here(self) -> tuple[str, ...]:
        """Who speaks and hears at this end of every link."""
        return ANYBODY if self.is_router else (self.me,)


def access_control(place: Neighbourhood) -> dict[str, Any]:
    """Zenoh's `access_control`: for each neighbour what may come and go.

    Raises:
        UsageError: a bad id.
    """
    others, house, here = place.others(), place.household, place.here()
    rules, policies = [], []
    for other in others:
        inward = _rules(house, other, place.behind(other), here, "ingress")
        outward = _rules(house, other, here, place.before(other), "egress")
        rules += inward + outward
        names = [rule["id"] for rule in inward + outward]
        policies.append({"rules": names, "subjects": [other]})
    return {
        "enabled": True,
        "default_permission": "deny",
        "rules": rules,
        "subjects": [{"id": o, "cert_common_names": [o]} for o in others],
        "policies": policies,
    }


def _rules(
    house: str, other: str, sources: Sequence[str], targets: Sequence[str], flow: str
) -> list[dict[str, Any]]:
    """What `sources` may send to `targets` over the link with `other`."""
    head, everyone = f"{key.ROOT}/{house}", key.everyone_alive(house)
    pairs = [(source, target) for source in sources for target in targets]
    words = [f"{head}/to/{target}/from/{source}/**" for source, target in pairs]
    beats = [f"{head}/beat/{source}/to/{target}" for source, target in pairs]
    asked = [f"{head}/ask/{target}/from/{source}/**" for source, target in pairs]
    told = [f"{head}/ask/{source}/from/{target}/**" for source, target in pairs]
    read = [f"{head}/to/{source}/from/**" for source in sources]
    felt = [f"{head}/beat/*/to/{source}" for source in sources]
    allowed = {
        "data": (["put"], words + beats),
        "ask": (["query"], asked),
        "answer": (["reply"], told),
        "read": (["declare_subscriber"], read + felt),
        "serve": (["declare_queryable"], [f"{head}/ask/{s}/from/**" for s in sources]),
        "alive": (["liveliness_token"], [f"{head}/alive/{s}" for s in sources]),
        "watch": (["declare_liveliness_subscriber", "liveliness_query"], [everyone]),
    }
    return [
        {
            "id": f"{flow}-{other}-{name}",
            "permission": "allow",
            "flows": [flow],
            "messages": messages,
            "key_exprs": keys,
        }
        for name, (messages, keys) in allowed.items()
    ]
