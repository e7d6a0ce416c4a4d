"""The places that are known, each with what a person may say of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from html import escape

from nicegui import ui
from nicegui.events import GenericEventArguments

from trivet.app.place_view import MAX_NAME, CorrectPlace, Doing, PlaceRow
from trivet.app.web.icon import icon
from trivet.app.web.tag import attribute, button, html, tag, text
from trivet.app.web.words import date, headed
from trivet.domain.error import TrivetError
from trivet.domain.place import PlaceRole

Say = Callable[[CorrectPlace], Awaitable[str]]
#: Places listed; who has more sees the most visited ones.
MOST = 60
_ROLES = (("", "As found"), ("home", "Home"), ("work", "Work"), ("other", "Neither"))
_VALUE = "(event) => emit(event.target.value)"


class Places:
    """The list; one place at a time is open to be set right.

    Args:
        say: says something of a place; what was done, in words.
        tell: tells those who do not see the page what was done.
    """

    def __init__(self, say: Say, tell: Callable[[str], None]) -> None:
        self._say, self._tell = say, tell
        self._rows: tuple[PlaceRow, ...] = ()
        self._zone = ""
        self._open = ""
        self._unfolded: tuple[ui.element, ui.element] | None = None
        self._empty = text("No place is known yet.", "p", "quiet nothing")
        self._list = tag("ul", "places")

    def show(self, rows: Sequence[PlaceRow], zone: str) -> None:
        """Draw the list anew where it changed, but not under a person's hands."""
        wanted = tuple(rows[:MOST])
        if (wanted, zone) == (self._rows, self._zone):
            return
        if self._open and self._open in {row.id for row in wanted}:
            return
        self._draw(wanted, zone)

    def _draw(self, rows: tuple[PlaceRow, ...], zone: str) -> None:
        self._rows, self._zone = rows, zone
        self._open, self._unfolded = "", None
        self._list.clear()
        self._empty.set_visibility(not rows)
        with self._list:
            for row in rows:
                self._row(row)

    def _row(self, row: PlaceRow) -> None:
        with tag("li", "place"):
            with tag("div", "head"):
                html(place_html(row, self._zone))
                change = button(
                    f"Change<span class='unseen'>: {escape(row.label)}</span>",
                    None,
                    "plain change",
                    aria_expanded="false",
                )
            form = tag("div", "form")
            form.set_visibility(False)
        change.on("click", lambda: self._turn(row, change, form), args=[])

    def _turn(self, row: PlaceRow, change: ui.element, form: ui.element) -> None:
        is_open = not form.visible
        self._fold()
        if not is_open:
            return
        self._open, self._unfolded = row.id, (change, form)
        form.set_visibility(True)
        attribute(change, "aria-expanded", "true")
        with form:
            Form(row, self._rows, self._correct)

    def _fold(self) -> None:
        """Close the one that is open, for there is one at a time."""
        if self._unfolded is not None:
            change, form = self._unfolded
            form.clear()
            form.set_visibility(False)
            attribute(change, "aria-expanded", "false")
        self._open, self._unfolded = "", None

    async def _correct(self, word: CorrectPlace) -> None:
        self._tell(await self._say(word))
        self._open = ""


class Form:
    """What a person may say of one place; builds its elements where it is made.

    Args:
        row: the place.
        rows: all of them, for what it may be one with.
        correct: says it; the list is drawn anew after that.
    """

    def __init__(
        self,
        row: PlaceRow,
        rows: Sequence[PlaceRow],
        correct: Callable[[CorrectPlace], Awaitable[None]],
    ) -> None:
        self._row, self._correct = row, correct
        self._name = row.label if row.is_named else ""
        self._is_sure = False
        self._kept = ""
        self._build_name()
        self._build_role()
        if row.lat is not None:
            self._build_join([r for r in rows if r.id != row.id and r.lat is not None])
        self._forget = button("Forget this place", self._ask_or_forget, "danger forget")
        self._failure = text("", "p", "failure", role="alert")

    def _build_name(self) -> None:
        with tag("label", "field"):
            text("Called")
            field = tag(
                "input",
                type_="text",
                maxlength=str(MAX_NAME),
                value=self._name,
                placeholder=self._row.label,
                autocomplete="off",
            )
            field.on("input", self._take_name, js_handler=_VALUE)
            field.on("keydown.enter", lambda: self._put_name(), args=[])
        button("Save the name", self._put_name, "primary")

    def _take_name(self, event: GenericEventArguments) -> None:
        self._name = event.args if isinstance(event.args, str) else self._name

    async def _put_name(self) -> None:
        await self._give(Doing.NAME, self._name)

    def _build_role(self) -> None:
        chosen = self._row.role.value if self._row.is_chosen else ""
        self._select("This is", _ROLES, chosen, self._put_role)

    async def _put_role(self, role: str) -> None:
        await self._give(Doing.ROLE, role)

    def _build_join(self, others: Sequence[PlaceRow]) -> None:
        """Choosing does nothing yet: arrow keys choose, and it cannot be taken back."""
        options = [("", "No other"), *((row.id, headed(row.label)) for row in others)]
        self._select("The same as", options, "", self._take_kept)
        self._join = button(
            "Make them one, it cannot be taken back", self._put_join, "danger join"
        )
        self._join.set_visibility(False)

    async def _take_kept(self, place: str) -> None:
        self._kept = place
        self._join.set_visibility(bool(place))

    async def _put_join(self) -> None:
        await self._give(Doing.JOIN, self._kept)

    def _select(
        self,
        label: str,
        options: Sequence[tuple[str, str]],
        chosen: str,
        take: Callable[[str], Awaitable[None]],
    ) -> None:
        inner = "".join(
            f'<option value="{escape(value)}"'
            f"{' selected' if value == chosen else ''}>{escape(words)}</option>"
            for value, words in options
        )
        values = {value for value, _ in options}

        async def choose(event: GenericEventArguments) -> None:
            if event.args in values:
                await take(str(event.args))

        with tag("label", "field"):
            text(label)
            html(inner, "select").on("change", choose, js_handler=_VALUE)

    async def _ask_or_forget(self) -> None:
        if self._is_sure:
            await self._give(Doing.FORGET, "")
            return
        self._is_sure = True
        self._forget.set_content("Really forget it, its stays and the ways there")

    async def _give(self, doing: Doing, value: str) -> None:
        try:
            await self._correct(CorrectPlace(self._row.id, doing, value))
        except TrivetError as error:
            self._failure.set_content(escape(str(error)))


def place_html(row: PlaceRow, zone: str) -> str:
    """A place in the list: what it is called, how often and when they were there."""
    kind = row.role.value if row.role is not PlaceRole.OTHER else "spot"
    visits = "1 visit" if row.visits == 1 else f"{row.visits:,} visits"
    last = f", last on {date(row.last, zone)}" if row.last else ""
    return (
        f"{icon(kind)}<p><strong>{escape(headed(row.label))}</strong>"
        f'<span class="quiet">{visits}{last}</span></p>'
    )
