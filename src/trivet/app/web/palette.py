"""The page's colours, light and dark, and how well one reads upon another.

Source: WCAG 2.2, "relative luminance" and success criteria 1.4.3 and 1.4.11.
"""

from __future__ import annotations

LIGHT = {
    "ground": "#f4f3ee",
    "surface": "#fdfdfb",
    "sunk": "#eceae2",
    "line": "#d5d2c6",
    "edge": "#7d7b70",
    "ink": "#1c2426",
    "quiet": "#565c58",
    "accent": "#0a625d",
    "on-accent": "#ffffff",
    "wash": "#dcebe7",
    "alert": "#9c2b1b",
    "alert-wash": "#fae7e1",
    "past": "#6d4a00",
    "past-wash": "#f8eccb",
    "phone": "#47489c",
    "car": "#0a625d",
    "home": "#8a4a14",
    "land": "#efede5",
    "road": "#ffffff",
    "road-edge": "#cfcbbd",
    "other-way": "#6a6a5f",
    "food": "#a4632b",
    "shop": "#5f6b9c",
    "spot": "#77786c",
}
DARK = {
    "ground": "#121718",
    "surface": "#1b2224",
    "sunk": "#242c2e",
    "line": "#363f41",
    "edge": "#87918f",
    "ink": "#e9ece8",
    "quiet": "#a9b2ae",
    "accent": "#6cc9bd",
    "on-accent": "#06201d",
    "wash": "#1f3835",
    "alert": "#ffb29f",
    "alert-wash": "#41211b",
    "past": "#f2cd7e",
    "past-wash": "#3a2f14",
    "phone": "#b3b5f5",
    "car": "#6cc9bd",
    "home": "#e9b184",
    "land": "#181f20",
    "road": "#3c4749",
    "road-edge": "#0e1314",
    "other-way": "#a3aaa5",
    "food": "#d59c6a",
    "shop": "#9aa6d8",
    "spot": "#9aa09c",
}

#: Text of the first colour stands on the second: 4.5 to 1 or better.
TEXT = (
    ("ink", "ground"),
    ("ink", "surface"),
    ("ink", "sunk"),
    ("ink", "land"),
    ("ink", "wash"),
    ("ink", "alert-wash"),
    ("quiet", "ground"),
    ("quiet", "surface"),
    ("quiet", "sunk"),
    ("quiet", "land"),
    ("accent", "surface"),
    ("accent", "sunk"),
    ("accent", "wash"),
    ("on-accent", "accent"),
    ("alert", "surface"),
    ("alert", "alert-wash"),
    ("past", "past-wash"),
    ("phone", "surface"),
    ("car", "surface"),
    ("home", "surface"),
    ("surface", "phone"),
    ("surface", "car"),
    ("surface", "home"),
)
#: Shapes of the first colour are told from the second: 3 to 1 or better.
SHAPES = (
    ("edge", "surface"),
    ("edge", "ground"),
    ("accent", "ground"),
    ("accent", "land"),
    ("ink", "land"),
    ("other-way", "land"),
    ("spot", "land"),
    ("food", "land"),
    ("shop", "land"),
)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours `#rrggbb`, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def variables() -> str:
    """The palette as CSS: the system's choice, unless the page was told one."""
    light, dark = _declare(LIGHT, "light"), _declare(DARK, "dark")
    return (
        f":root{{{light}}}"
        f"@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
        f":root[data-theme=light]{{{light}}}:root[data-theme=dark]{{{dark}}}"
    )


def _declare(colours: dict[str, str], scheme: str) -> str:
    names = "".join(f"--{name}:{value};" for name, value in colours.items())
    return f"color-scheme:{scheme};{names}"


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
