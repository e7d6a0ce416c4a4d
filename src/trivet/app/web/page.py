"""The page: a map, forecasts, suggestions and the ledger, served by this device.

Nothing on it comes from anywhere else: no tiles, no fonts, no scripts of others.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from fastapi import FastAPI
from nicegui import ui
from starlette.staticfiles import StaticFiles

from trivet.app.view import Viewed
from trivet.app.web import palette, server
from trivet.app.web.guard import Guard, is_local
from trivet.app.web.screen import Screen
from trivet.domain.error import UsageError

STATIC = Path(__file__).parent / "static"
_HEAD = (
    f"<style>{palette.variables()}</style>"
    '<link rel="stylesheet" href="/static/page.css">'
    '<script src="/static/page.js"></script>'
)
_BODY = (
    "<noscript>This page is drawn by JavaScript that this device serves: "
    "please allow it.</noscript>"
)
#: What is shown now. NiceGUI holds one site a process, so there is one.
_shown: list[Viewed] = []


async def serve(
    viewed: Viewed,
    *,
    host: str = "127.0.0.1",
    port: int = 8321,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the page beside other tasks of this event loop, until cancelled.

    Args:
        viewed: the node that is shown.
        host: address to listen on; another than loopback shows the page to everyone
            who can reach it.
        port: TCP port, 0 for any free one.
        on_ready: called once with the URL, when the page answers.

    Raises:
        SetupError: the port is taken, or the address is not this machine's.
        UsageError: the page of this process is already being served.
    """
    if _shown:
        raise UsageError("this process already serves a page")
    _shown.append(viewed)
    try:
        app = Guard(_site(), is_loopback=is_local(host))
        await server.run(app, host, port, on_ready)
    finally:
        _shown.clear()


@cache
def _site() -> FastAPI:
    """NiceGUI's site within one of ours; made once, for NiceGUI is made so."""
    site = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    site.mount("/static", StaticFiles(directory=STATIC))

    @ui.page("/", title="trivet", favicon=STATIC / "trivet.svg")
    def draw() -> None:
        ui.add_head_html(_HEAD)
        ui.add_body_html(_BODY)
        Screen(_shown[0])

    ui.run_with(
        site,
        favicon=STATIC / "trivet.svg",
        tailwind=False,
        show_welcome_message=False,
        binding_refresh_interval=None,
        dark=None,
    )
    return site
