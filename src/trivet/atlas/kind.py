"""Which of OpenStreetMap's tags make a thing a place to go to, and of which kind.

Source: OpenStreetMap wiki, "Map features".
"""

from __future__ import annotations

from typing import Protocol

#: Keys whose value is the kind, the most telling first.
KEYS = (
    "amenity",
    "shop",
    "tourism",
    "leisure",
    "healthcare",
    "craft",
    "office",
    "railway",
    "aeroway",
)
#: Keys that mostly tell of tracks and runways: only these values are places to go to.
_ONLY = {
    "railway": frozenset({"station", "halt"}),
    "aeroway": frozenset({"aerodrome", "terminal"}),
}
#: Street furniture and the like: nobody's destination, even where it has a name.
_NEVER = frozenset(
    """bench clock grit_bin hunting_stand information loading_dock lounger
    parking_entrance parking_space picnic_table post_box recycling shelter slipway
    telephone vending_machine waste_basket waste_disposal""".split()
)
#: What mappers write for a thing that is not there, or no longer.
_GONE = frozenset({"no", "none", "vacant", "disused", "closed", "abandoned"})


class Tags(Protocol):
    """Tags of an OpenStreetMap object; osmium's `TagList` and any dict are such."""

    def get(self, key: str, default: str) -> str:
        """The tag's value."""
        ...


def kind_of(tags: Tags) -> str:
    """The kind of place that `tags` tell of, empty when it is none.

    `shop=yes` says no more than "shop", so that is its kind. Of a list
    (`cafe;bar`) the first counts.
    """
    for key in KEYS:
        value = kind_word(tags.get(key, "").partition(";")[0])
        if not value or value in _GONE or value in _NEVER:
            continue
        if key in _ONLY and value not in _ONLY[key]:
            continue
        return key if value == "yes" else value
    return ""


def kind_word(text: str) -> str:
    """A kind in OpenStreetMap's manner: lower case, joined by underscores."""
    return "_".join(text.lower().replace("_", " ").split())
