"""A web server beside other tasks of one event loop, which ends when it is told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from trivet.domain.error import SetupError


class LoopServer(uvicorn.Server):
    """Uvicorn without its signal handlers, and with an end that waits for nobody."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever owns the loop."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye to every browser, wait a tenth of a second, and hang up."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0.1)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()
        await self.lifespan.shutdown()


async def run(
    app: ASGIApp, host: str, port: int, on_ready: Callable[[str], None] | None
) -> None:
    """Serve `app` until cancelled.

    Args:
        app: an ASGI application.
        host: address or name to listen on.
        port: TCP port, 0 for any free one.
        on_ready: called once with the page's URL.

    Raises:
        SetupError: the port is taken, or the address is not this machine's.
    """
    with listen(host, port) as listener:
        url = address(host, listener.getsockname()[1])
        config = uvicorn.Config(
            app, log_config=None, access_log=False, ws="websockets-sansio"
        )
        server = LoopServer(config, lambda: on_ready(url) if on_ready else None)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            await serving


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        SetupError: the port is taken, or the address is not this machine's.
    """
    if not 0 <= port <= 65535:
        raise SetupError(
            f"{port} is no TCP port", hint="choose one from 1 to 65535, or 0 for any"
        )
    try:
        kind = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=kind)
    except OSError as error:
        raise SetupError(
            f"the page cannot be served on {host}:{port}: {error}",
            hint="end what uses the port, or choose another with --port",
        ) from error


def address(host: str, port: int) -> str:
    """The URL to open on this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
