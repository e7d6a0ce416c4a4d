"""Plain HTML elements on NiceGUI: what they are called, say and do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape

from nicegui import ui

#: What a press does on the server.
Press = Callable[[], Awaitable[None] | None]


def tag(name: str, classes: str = "", **attributes: str) -> ui.element:
    """An element; `aria_label` stands for `aria-label`."""
    element = ui.element(name)
    if classes:
        element.classes(classes)
    for key, value in attributes.items():
        element.props[key.rstrip("_").replace("_", "-")] = value
    return element


def html(
    content: str = "", name: str = "div", classes: str = "", **attributes: str
) -> ui.html:
    """An element that holds HTML of ours, in which all foreign text is escaped."""
    element = ui.html(content, sanitize=False, tag=name)
    if classes:
        element.classes(classes)
    for key, value in attributes.items():
        element.props[key.rstrip("_").replace("_", "-")] = value
    return element


def button(
    content: str, press: Press | None, classes: str = "", **attributes: str
) -> ui.html:
    """A real button holding `content`; one without `press` acts by page.js alone."""
    element = html(content, "button", classes, type_="button", **attributes)
    if press:
        element.on("click", press, args=[])
    return element


def text(
    words: str, name: str = "span", classes: str = "", **attributes: str
) -> ui.html:
    """An element that holds plain text."""
    return html(escape(words), name, classes, **attributes)


def attribute(element: ui.element, name: str, value: str | None) -> None:
    """Set an attribute, or take it away with None; sends nothing when it is so."""
    if element.props.get(name) != value:
        element.props.set_optional(name, value)
