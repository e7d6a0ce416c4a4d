"""The page in a real browser. Needs Playwright and a Chromium."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import pytest

from trivet.app.web.page import serve
from trivet.domain.place import Place
from trivet.domain.suggestion import AnswerKind

if TYPE_CHECKING:
    from tests.app.web.conftest import FakeNode

playwright = pytest.importorskip(
    "playwright.async_api", reason="Playwright is not installed: pip install playwright"
)
CHROMIUM = os.environ.get("TRIVET_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium: install one, or set TRIVET_CHROMIUM"
    ),
]
HOSTILE = "<script>document.title='owned'</script><b>x"


@asynccontextmanager
async def opened(node: FakeNode, **context: Any) -> AsyncIterator[SimpleNamespace]:
    """The page of `node` in a new browser, with what it complained of and asked for."""
    ready: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(serve(node, port=0, on_ready=ready.put_nowait))
    try:
        url = await ready.get()
        async with playwright.async_playwright() as p:
            browser = await p.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            page = await browser.new_page(**context)
            seen = SimpleNamespace(page=page, url=url, complaints=[], asked=[])
            page.on(
                "console",
                lambda m: seen.complaints.append(m.text) if m.type == "error" else None,
            )
            page.on("pageerror", lambda error: seen.complaints.append(str(error)))
            page.on("request", lambda request: seen.asked.append(request.url))
            page.on("websocket", lambda socket: seen.asked.append(socket.url))
            await page.goto(url)
            await page.wait_for_selector("html[data-ready]")
            yield seen
            await browser.close()
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def test_it_loads_without_complaint_and_asks_nobody_else(node: FakeNode) -> None:
    async with opened(node) as seen:
        await seen.page.wait_for_timeout(500)
        assert seen.complaints == []
        assert {urlsplit(asked).netloc for asked in seen.asked} == {
            urlsplit(seen.url).netloc
        }
        assert await seen.page.locator("svg .arc").count() == 3
        assert await seen.page.locator("svg text:visible").count() > 4


async def test_the_keyboard_answers_a_suggestion(node: FakeNode) -> None:
    async with opened(node) as seen:
        page = seen.page
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        for _ in range(3):
            await page.keyboard.press("Tab")
            label = await page.evaluate("document.activeElement.dataset.answer")
            if label == "not_now":
                break
        await page.keyboard.press("Enter")
        await page.wait_for_function("document.querySelectorAll('.card').length === 1")
        assert node.answers == [("s2", AnswerKind.NOT_NOW)]
        await page.wait_for_function("document.activeElement.id === 'suggestions'")
        said = await page.locator("[role=status]").text_content()
        assert said == "Answered: Not now."


async def test_reasons_unfold(node: FakeNode) -> None:
    async with opened(node) as seen:
        why = seen.page.locator(".trip .why")
        await why.click()
        await seen.page.wait_for_selector(".trip .reasons")
        assert await why.get_attribute("aria-expanded") == "true"


async def test_going_back_says_so_and_live_returns(node: FakeNode) -> None:
    async with opened(node) as seen:
        slider = seen.page.locator(".transport input")
        await slider.focus()
        await seen.page.keyboard.press("PageDown")
        await seen.page.wait_for_selector(".chip.past:visible")
        assert await seen.page.locator(".card [data-answer]").count() == 0
        await seen.page.locator("button.live").click()
        await seen.page.wait_for_selector(".chip.past", state="hidden")
        assert await seen.page.locator(".card [data-answer]").count() == 4


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 480), (1440, 900)])
async def test_nothing_is_wider_than_the_screen(
    node: FakeNode, width: int, height: int
) -> None:
    async with opened(node, viewport={"width": width, "height": height}) as seen:
        wide = await seen.page.evaluate("document.documentElement.scrollWidth")
        assert wide == width
        small = await seen.page.evaluate(
            "[...document.querySelectorAll('button')].filter(b => b.offsetParent)"
            ".map(b => b.getBoundingClientRect())"
            ".filter(r => r.width < 44 || r.height < 44).length"
        )
        assert small == 0


async def test_a_place_cannot_run_as_a_script(node: FakeNode) -> None:
    place = Place("x", 48.76, 9.19, name=HOSTILE)
    node.drawn = msgspec.structs.replace(node.drawn, places=(place,))
    need = msgspec.structs.replace(node.now.suggestions[0].need, title=HOSTILE)
    suggestion = msgspec.structs.replace(node.now.suggestions[0], need=need)
    node.now = msgspec.structs.replace(
        node.now, suggestions=(suggestion,), notice=HOSTILE, at=HOSTILE, forecast=None
    )
    async with opened(node) as seen:
        assert await seen.page.title() == "trivet"
        assert await seen.page.locator(".card h3").text_content() == HOSTILE
        assert await seen.page.locator("#trip-head").text_content() == f"At {HOSTILE}"
        assert seen.complaints == []


async def test_a_new_frame_is_on_the_screen_at_once(node: FakeNode) -> None:
    async with opened(node) as seen:
        node.now = msgspec.structs.replace(node.now, at="elsewhere", forecast=None)
        await seen.page.wait_for_function(
            "document.getElementById('trip-head').textContent === 'At elsewhere'"
        )
        assert await seen.page.locator("svg .arc").count() == 0
