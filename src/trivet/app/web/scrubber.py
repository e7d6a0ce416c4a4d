"""Moving in time: a slider over what is kept, "Live", and how fast time goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import ceil

from nicegui import ui
from nicegui.events import GenericEventArguments

from trivet.app.view import Frame, TimelineEntry, Viewed
from trivet.app.web.icon import icon
from trivet.app.web.panel import marks_svg
from trivet.app.web.tag import attribute, button, html, tag, text
from trivet.app.web.words import hours

#: Event seconds a real second that can be chosen.
SPEEDS = (1, 10, 60, 300)
#: The slider moves in steps of this.
STEP_S = 60.0


class Scrubber:
    """The row below the map.

    Args:
        viewed: the node whose time is set.
        go: shows an event time, or the present for None.
    """

    def __init__(self, viewed: Viewed, go: Callable[[float | None], None]) -> None:
        self._viewed = viewed
        self._go = go
        self._is_paused = False
        with tag("section", "room transport", aria_labelledby="transport-head"):
            text("Time", "h2", "unseen", id="transport-head")
            with tag("div", "slide"):
                self._marks = html()
                self._slider = self._build_slider()
                with tag("p", "ends quiet"):
                    self._since = html(name="span")
                    self._where = html(name="span", classes="where")
                    self._until = html(name="span")
            with tag("div", "speeds", role="group", aria_label="Speed of time"):
                self._live = button(
                    f"{icon('live')}<span>Live</span>", lambda: self._go(None), "live"
                )
                self._pause = button("", self._turn, "pause")
                self._speeds = {
                    speed: button(
                        f"{speed}×",
                        partial(self._set_speed, speed),
                        aria_label=f"{speed} times as fast as real time",
                    )
                    for speed in SPEEDS
                }

    def show(
        self, frame: Frame, present: Frame, span: tuple[float, float], at: float | None
    ) -> None:
        """Show where in `span` the frame stands; `at` is None for the present."""
        since, until = span
        most = steps(span)
        value = most if at is None else min(most, round((at - since) / STEP_S))
        # page.js moves the thumb, so that no update takes it from a person's hand
        attribute(self._slider, "data-range", f"{most} {value}")
        moment = hours(frame.time, frame.zone)
        spoken = f"{moment}, live" if at is None else f"{moment}, the past"
        attribute(self._slider, "aria-valuetext", spoken)
        self._since.set_content(hours(since, frame.zone))
        self._until.set_content(hours(until, frame.zone))
        self._where.set_content("live" if at is None else f"showing {moment}")
        attribute(self._live, "aria-pressed", "true" if at is None else "false")
        self._show_speed(present)

    def mark(self, entries: Sequence[TimelineEntry], span: tuple[float, float]) -> None:
        """Show where on the slider something happened."""
        self._marks.set_content(marks_svg(entries, *span))

    def _show_speed(self, frame: Frame) -> None:
        self._is_paused = frame.is_paused
        if frame.is_paused:
            self._pause.set_content(f"{icon('play')}<span>Go on</span>")
        else:
            self._pause.set_content(f"{icon('pause')}<span>Pause</span>")
        for speed, each in self._speeds.items():
            is_it = not frame.is_paused and abs(frame.speed - speed) < 0.01
            attribute(each, "aria-pressed", "true" if is_it else "false")

    def _build_slider(self) -> ui.element:
        slider = tag(
            "input",
            type_="range",
            min_="0",
            step="1",
            aria_label="Moment that is shown",
            data_range="1 1",
        )
        return slider.on(
            "input",
            self._slide,
            throttle=0.08,
            js_handler="(event) => emit(Number(event.target.value))",
        )

    def _slide(self, event: GenericEventArguments) -> None:
        span = self._viewed.span()
        self._go(moment(event.args, span))

    def _set_speed(self, speed: float) -> None:
        self._viewed.set_speed(float(speed))
        self._viewed.set_paused(False)

    def _turn(self) -> None:
        self._viewed.set_paused(not self._is_paused)


def steps(span: tuple[float, float]) -> int:
    """How many steps the slider has over `span`, at least one."""
    return max(1, ceil((span[1] - span[0]) / STEP_S))


def moment(value: object, span: tuple[float, float]) -> float | None:
    """The event time at slider value `value`; None, the present, at its end.

    What is not a number, as a browser gone wrong may send, is the present too.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value < steps(span):
        return None
    return span[0] + value * STEP_S
