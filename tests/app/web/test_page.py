"""Laws of serving: it starts, answers from this device alone, and ends at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from trivet.app.web.page import serve
from trivet.app.web.server import address
from trivet.domain.error import SetupError, UsageError

if TYPE_CHECKING:
    from tests.app.web.conftest import FakeNode

SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"


@asynccontextmanager
async def served(node: FakeNode) -> AsyncIterator[str]:
    """The URL of a page; ends it within a second, whoever still looks at it."""
    ready: asyncio.Queue[str] = asyncio.Queue()
    task = asyncio.create_task(serve(node, port=0, on_ready=ready.put_nowait))
    try:
        async with asyncio.timeout(10.0):
            url = await ready.get()
        yield url
    finally:
        task.cancel()
        async with asyncio.timeout(1.0):
            with suppress(asyncio.CancelledError):
                await task


async def test_the_page_answers_from_this_device_alone(node: FakeNode) -> None:
    async with served(node) as url, httpx.AsyncClient() as client:
        page = await client.get(url)
        assert page.status_code == 200
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assets += re.findall(r'url\("([^"]+)"\)', page.text)
        assert len(assets) > 8
        for asset in assets:
            there = urlsplit(urljoin(url, asset))
            assert there.netloc == urlsplit(url).netloc, asset
        for asset in ("/static/page.css", "/static/page.js"):
            assert asset in assets
            assert (await client.get(url + asset)).status_code == 200


async def test_the_first_frame_is_in_the_page(node: FakeNode) -> None:
    async with served(node) as url, httpx.AsyncClient() as client:
        page = (await client.get(url)).text
    for words in ("To Riverside Mall", "17:50–18:10", "nobody lives here", "Garage"):
        assert words in page


async def test_it_ends_within_a_second_though_browsers_look(node: FakeNode) -> None:
    async with served(node) as url:
        socket = await connect(url.replace("http", "ws") + SOCKET, origin=Origin(url))
        await socket.recv()
    async with asyncio.timeout(1.0):
        await socket.wait_closed()


async def test_another_site_gets_neither_page_nor_socket(node: FakeNode) -> None:
    async with served(node) as url, httpx.AsyncClient() as client:
        page = await client.get(url, headers={"Host": "evil.example"})
        assert page.status_code == 403
        with pytest.raises(InvalidStatus):
            await connect(
                url.replace("http", "ws") + SOCKET, origin=Origin("http://evil.example")
            )


async def test_a_taken_port_is_this_machines_fault(node: FakeNode) -> None:
    held = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    async with held:
        port = held.sockets[0].getsockname()[1]
        with pytest.raises(SetupError, match=f"127.0.0.1:{port}.*choose another"):
            await serve(node, port=port)
    with pytest.raises(SetupError):
        await serve(node, port=99999)


async def test_one_page_a_process(node: FakeNode) -> None:
    async with served(node):
        with pytest.raises(UsageError):
            await serve(node, port=0)


def test_the_url_is_one_to_open() -> None:
    assert address("0.0.0.0", 80) == "http://127.0.0.1:80"
    assert address("::1", 80) == "http://[::1]:80"
