"""The map's elements: SVG layers that are sent only when they change, and buttons."""

from __future__ import annotations

from html import escape

from trivet.app.view import Frame, MapView
from trivet.app.web import map_svg, trip_svg
from trivet.app.web.icon import icon
from trivet.app.web.plane import Plane
from trivet.app.web.tag import button, html, tag, text

_WORDS = "Map: arrow keys move it, plus and minus zoom, 0 shows the whole trip"
_BUTTONS = (
    ("plus", "Zoom in"),
    ("minus", "Zoom out"),
    ("fit", "Show the whole trip"),
)


class Map:
    """The map; page.js moves it and places its labels."""

    def __init__(self) -> None:
        with tag("section", "room map", aria_labelledby="map-head"):
            text("Map", "h2", "unseen", id="map-head")
            with tag("div", "canvas", tabindex="0", role="group", aria_label=_WORDS):
                with tag("svg", role="img", aria_labelledby="map-title map-words"):
                    html("Map of the household", "title", id="map-title")
                    self._words = html(name="desc", id="map-words")
                    self._base = html(name="g")
                    self._ways = html(name="g")
                    self._places = html(name="g")
                    self._ends = html(name="g")
                    self._devices = html(name="g")
                html("<i></i><span></span>", classes="scale", aria_hidden="true")
            with tag("div", "zoom"):
                for name, label in _BUTTONS:
                    button(icon(name), None, aria_label=label, data_do=name)
            self._nothing = text(
                "Roads and places appear as the household lives.", "p", "nothing quiet"
            )
            self._attribution = html(name="p", classes="attribution")

    def draw_base(self, drawn: MapView, plane: Plane) -> None:
        """Draw what stays where it is."""
        self._base.set_content(map_svg.base_layer(drawn, plane))
        self._places.set_content(map_svg.place_layer(drawn, plane))
        is_known = drawn.roads or drawn.places or drawn.points_of_interest
        self._nothing.set_visibility(not is_known)
        self._attribution.set_content(escape(drawn.attribution))

    def draw(self, frame: Frame, drawn: MapView | None, plane: Plane) -> None:
        """Draw the trip and the devices over it."""
        if drawn is None:
            return
        self._ways.set_content(trip_svg.way_layer(frame, drawn, plane))
        self._ends.set_content(trip_svg.end_layer(frame, drawn, plane))
        self._devices.set_content(map_svg.device_layer(frame.devices, drawn, plane))
        self._words.set_content(escape(map_svg.describe(frame)))
