"""Who may talk to the page: the page itself, and nobody from another web site.

A page that can close a garage must not be driven by a web site open in the same
browser. A web site can reach a server on the loopback address by naming it in its own
DNS ("rebinding") and can open web sockets to any host; so the name asked for must be
a local one, and the origin of a web socket the page itself. The content policy makes
the browser refuse whatever is not served by this device.

Source: RFC 6455, section 10.2; Content Security Policy Level 3.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

#: Vue compiles its templates in the browser, hence `unsafe-eval`.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: Endings of names that no public DNS gives: RFC 6762, RFC 8375, and the usual routers.
_LOCAL_ENDS = (".local", ".localhost", ".home.arpa", ".internal", ".lan")


class Guard:
    """ASGI middleware that refuses requests made on behalf of another site.

    Args:
        app: what is guarded.
        is_loopback: whether the page is served to this machine alone.
    """

    def __init__(self, app: ASGIApp, *, is_loopback: bool) -> None:
        self.app = app
        self._is_loopback = is_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, close the socket, or hand on with the content policy added."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not allows(
            headers.get("host", ""),
            headers.get("origin", "") if _opens_socket(scope) else "",
            is_loopback=self._is_loopback,
        ):
            refusal: ASGIApp = (
                WebSocketClose(code=1008, reason="other origin")
                if scope["type"] == "websocket"
                else PlainTextResponse("This page is for its own device.", 403)
            )
            await refusal(scope, receive, send)
            return

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = MutableHeaders(scope=message)
                added["Content-Security-Policy"] = POLICY
                added["X-Content-Type-Options"] = "nosniff"
                added["Referrer-Policy"] = "no-referrer"
            await send(message)

        await self.app(scope, receive, send_with_policy)


def allows(host: str, origin: str, *, is_loopback: bool) -> bool:
    """Whether a request that names `host`, from a page of `origin`, is served.

    Args:
        host: the Host header.
        origin: the Origin header, empty where there is none.
        is_loopback: whether only names of this machine are taken for it.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        is_own_origin = not origin or urlsplit(origin).netloc == host
    except ValueError:
        return False
    return is_own_origin and (is_local(name) if is_loopback else is_private(name))


def is_local(name: str) -> bool:
    """Whether a host name or address is this machine's loopback."""
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def is_private(name: str) -> bool:
    """Whether a host name cannot be made to lead here by somebody else's DNS.

    That are addresses, names without a dot, and names of local networks.
    """
    try:
        ip_address(name)
    except ValueError:
        return bool(name) and ("." not in name or name.endswith(_LOCAL_ENDS))
    return True


def _opens_socket(scope: Scope) -> bool:
    """Web sockets, and the polling that stands in for them, carry actions."""
    return scope["type"] == "websocket" or "socket.io" in scope["path"]
