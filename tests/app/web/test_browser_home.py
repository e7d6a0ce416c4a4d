"""In a real browser: a person sets places right, and stops and starts the learning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

pytest.importorskip(
    "playwright.async_api", reason="Playwright is not installed: pip install playwright"
)
from tests.app.web.test_browser import CHROMIUM, HOSTILE, opened

from trivet.app.place_view import CorrectPlace, Doing

if TYPE_CHECKING:
    from tests.app.web.conftest import FakeNode

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium: install one, or set TRIVET_CHROMIUM"
    ),
]


async def test_a_place_is_named_given_a_role_joined_and_forgotten(
    node: FakeNode,
) -> None:
    async with opened(node) as seen:
        row = seen.page.locator("li.place").nth(2)
        await row.locator(".change").click()
        await row.locator(".field input").fill("The mall")
        await row.locator("button.primary").click()
        await row.locator("select").nth(0).select_option("work")
        await row.locator("select").nth(1).select_option("p2")  # by mistake
        await row.locator(".join").wait_for()
        await row.locator("select").nth(1).select_option("")
        await row.locator(".join").wait_for(state="hidden")
        await row.locator("select").nth(1).select_option("p4")
        await row.locator(".join").click()
        await row.locator(".forget").click()
        await seen.page.wait_for_function(
            "document.querySelector('.forget').textContent.startsWith('Really')"
        )
        await row.locator(".forget").click()
        await seen.page.wait_for_function(
            "document.querySelector('[role=status]').textContent === 'done'"
        )
        await seen.page.wait_for_timeout(300)
        assert node.said == [
            CorrectPlace("p3", Doing.NAME, "The mall"),
            CorrectPlace("p3", Doing.ROLE, "work"),
            CorrectPlace("p3", Doing.JOIN, "p4"),
            CorrectPlace("p3", Doing.FORGET),
        ]
        assert seen.complaints == []


async def test_what_cannot_be_said_of_a_place_is_told_there(node: FakeNode) -> None:
    odd = msgspec.structs.replace(node.rows[2], id="refused", label=HOSTILE)
    node.rows = (odd, *node.rows[:2])
    async with opened(node) as seen:
        row = seen.page.locator("li.place").nth(0)
        assert HOSTILE in (await row.text_content() or "")
        await row.locator(".change").click()
        await row.locator("select").nth(0).select_option("home")
        await row.locator(".failure:not(:empty)").wait_for()
        assert "cannot be set right" in await row.locator(".failure").text_content()
        assert await seen.page.title() == "trivet"


async def test_learning_is_stopped_and_started(node: FakeNode) -> None:
    async with opened(node) as seen:
        switch = seen.page.locator("[role=switch]")
        assert await switch.get_attribute("aria-checked") == "true"
        await switch.click()
        await seen.page.wait_for_selector("[role=switch][aria-checked=false]")
        assert await seen.page.locator(".off").is_visible()
        await switch.click()
        await seen.page.wait_for_selector("[role=switch][aria-checked=true]")


async def test_a_list_that_changes_does_not_take_the_form_from_a_persons_hands(
    node: FakeNode,
) -> None:
    async with opened(node) as seen:
        row = seen.page.locator("li.place").nth(2)
        await row.locator(".change").click()
        await row.locator(".field input").fill("The ma")
        first = msgspec.structs.replace(node.rows[0], visits=211)
        node.rows = (first, *node.rows[1:])
        await seen.page.wait_for_timeout(1500)
        assert await row.locator(".field input").input_value() == "The ma"
        await row.locator(".change").click()
        await seen.page.get_by_text("211 visits").wait_for()


async def test_one_place_at_a_time_is_open_and_stays_so(node: FakeNode) -> None:
    async with opened(node) as seen:
        first, second = (seen.page.locator("li.place").nth(n) for n in (2, 3))
        await first.locator(".change").click()
        await first.locator(".field input").wait_for()
        await second.locator(".change").click()
        await second.locator(".field input").fill("The wall")
        await first.locator(".field input").wait_for(state="detached")
        assert await first.locator(".change").get_attribute("aria-expanded") == "false"
        await first.locator(".change").click()
        await first.locator(".field input").fill("The ma")
        node.rows = (msgspec.structs.replace(node.rows[0], visits=211), *node.rows[1:])
        await seen.page.wait_for_timeout(1500)
        assert await first.locator(".field input").input_value() == "The ma"
