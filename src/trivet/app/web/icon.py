"""Icons: small drawings on a 24 by 24 grid, drawn with the colour of the text.

Each stands beside words that say the same, so all are hidden from screen readers.
"""

from __future__ import annotations

_PATHS = {
    "phone": "M8 3h8a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1z"
    "M11 18h2",
    "car": "M4 16v-3.5l2-5A2 2 0 0 1 7.9 6h8.2A2 2 0 0 1 18 7.5l2 5V16zM4 12.5h16"
    "M6 16v2.5M18 16v2.5M7.5 14.2h1M15.5 14.2h1",
    "home": "M4 11.5 12 4.5l8 7M6 10v9.5h12V10M10 19.5v-5h4v5",
    "other": "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16z",
    "work": "M4 8.5h16V19H4zM9 8.5V6a1 1 0 0 1 1-1h4a1 1 0 0 1 1 1v2.5M4 13h16",
    "alert": "M12 4 21 19.5H3zM12 10v4.5M12 17v.2",
    "why": "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z"
    "M9.6 9.6a2.4 2.4 0 1 1 3.5 2.2c-.8.4-1.1.9-1.1 1.7M12 16.4v.2",
    "yes": "M5 12.5 10 17.5 19 7",
    "play": "M8 5.5v13l10-6.5z",
    "pause": "M9 6v12M15 6v12",
    "live": "M12 10a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM7.5 7.5a6.4 6.4 0 0 0 0 9"
    "M16.5 7.5a6.4 6.4 0 0 1 0 9",
    "theme": "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
    "plus": "M12 5v14M5 12h14",
    "minus": "M5 12h14",
    "fit": "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
    "departure": "M4 12h13M12 6.5 17.5 12 12 17.5",
    "arrival": "M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11z"
    "M12 8a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
    "suggestion": "M12 3.5a6 6 0 0 0-3.3 11c.6.5.8 1.1.8 2h5c0-.9.2-1.5.8-2"
    "A6 6 0 0 0 12 3.5zM10 20.5h4",
    "answer": "M5 5.5h14v10h-8l-4 3.5v-3.5H5z",
    "notice": "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM12 11v5.5M12 7.8v.2",
    "next": "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16zM12 8v4.2l3 1.8",
    "night": "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
    "spot": "M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11z"
    "M12 8a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
    "trivet": "M4 8a8 3 0 1 0 16 0 8 3 0 1 0-16 0M5.5 10 4 20M18.5 10 20 20M12 11v10",
}


def icon(name: str) -> str:
    """The icon as inline SVG; one that is not known is drawn as a circle."""
    path = _PATHS.get(name, _PATHS["other"])
    return (
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        f'<path d="{path}"/></svg>'
    )


def glyph(name: str) -> str:
    """The icon for use within a map pin: centred on 0, 0 and 20 pixels wide."""
    path = _PATHS.get(name, _PATHS["other"])
    return f'<path class="glyph" transform="scale(.8) translate(-12 -12)" d="{path}"/>'
