"""The link of a lobby: a Zenoh session over plain TCP that lets only queries through.

It is apart from the household's own sessions: other sockets, another multicast group,
and access rules under which a host is asked, a joiner asks, and nothing else passes.

Source: Zenoh 1.10, `DEFAULT_CONFIG.json5`.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import zenoh

from trivet.domain.error import SetupError
from trivet.fabric.background import in_thread
from trivet.fabric.config import LEASE_MS, RETRY_MS
from trivet.fabric.pairing_code import check_address
from trivet.fabric.pairing_wire import MAX_BYTES, MAX_GRANT_BYTES

log = logging.getLogger("trivet.fabric")

ROOT = "trivet-lobby"
#: Apart from Zenoh's usual 224.0.0.224:7446, on which the household's sessions scout.
MULTICAST = "224.0.0.224:7449"
#: Connections that strangers may hold, and milliseconds that opening one may take.
MAX_CONNECTIONS = 16
OPEN_MS = 3000


def lobby_settings(
    *,
    listen: Sequence[str] = (),
    connect: Sequence[str] = (),
    is_scouting: bool,
    session: str = "",
) -> dict[str, Any]:
    """Zenoh's settings for a lobby.

    Args:
        listen: `host:port` to be dialled at; a host's.
        connect: `host:port` to dial; a joiner's.
        is_scouting: whether to be found, or to find, by multicast.
        session: the host's session id; empty for a joiner.

    Raises:
        UsageError: an address is not `host:port`.
    """
    autoconnect: dict[str, list[str]] = {"peer": [] if session else ["peer"]}
    most = MAX_BYTES if session else MAX_GRANT_BYTES
    return {
        "mode": "peer",
        "listen": {
            "endpoints": {"peer": [f"tcp/{check_address(a)}" for a in listen]},
            "exit_on_failure": True,
            "timeout_ms": 0,
        },
        "connect": {
            "endpoints": {"peer": [f"tcp/{check_address(a)}" for a in connect]},
            "exit_on_failure": False,
            "timeout_ms": -1,
            "retry": {
                "period_init_ms": RETRY_MS[0],
                "period_max_ms": RETRY_MS[1],
                "period_increase_factor": 1.5,
            },
        },
        "scouting": {
            "gossip": {"enabled": False},
            "multicast": {
                "enabled": is_scouting,
                "address": MULTICAST,
                "autoconnect": autoconnect,
                "listen": bool(session),
            },
        },
        "transport": _transport(most),
        "access_control": _access(session),
    }


def _transport(most: int) -> dict[str, Any]:
    """Plain TCP, with no more room for strangers than messages of `most` bytes take."""
    return {
        "link": {
            "protocols": ["tcp"],
            "tx": {"lease": LEASE_MS},
            "rx": {"max_message_size": 2 * most},
        },
        "unicast": {
            "max_sessions": MAX_CONNECTIONS,
            "accept_pending": MAX_CONNECTIONS,
            "open_timeout": OPEN_MS,
            "accept_timeout": OPEN_MS,
        },
        "shared_memory": {"enabled": False},
    }


def _access(session: str) -> dict[str, Any]:
    """Rules without names, as nobody has one here: a host is asked, a joiner asks."""
    mine = f"{ROOT}/{session or '*'}/**"
    asked = ["query"], [mine, f"{ROOT}/*/hello"]
    served = ["reply", "declare_queryable"], [mine]
    inward, outward = (asked, served) if session else (served, asked)
    rules = [
        {
            "id": flow,
            "permission": "allow",
            "flows": [flow],
            "messages": messages,
            "key_exprs": keys,
        }
        for flow, (messages, keys) in (("ingress", inward), ("egress", outward))
    ]
    return {
        "enabled": True,
        "default_permission": "deny",
        "rules": rules,
        "subjects": [{"id": "anyone"}],
        "policies": [{"rules": ["ingress", "egress"], "subjects": ["anyone"]}],
    }


@asynccontextmanager
async def open_link(settings: dict[str, Any]) -> AsyncIterator[zenoh.Session]:
    """A session with these settings, until the end of the `async with`.

    Raises:
        SetupError: an address cannot be listened at.
    """
    opened: list[zenoh.Session] = []
    config = zenoh.Config.from_json5(json.dumps(settings))
    try:
        try:
            await in_thread(lambda: opened.append(zenoh.open(config)))
        except zenoh.ZError as error:
            raise SetupError(
                f"the lobby cannot be opened: {error}",
                hint="is the port taken by another program?",
            ) from error
        yield opened[0]
    finally:
        if opened:
            await in_thread(opened[0].close)


def with_port(address: str) -> str:
    """The address with a free port in the place of port 0.

    Raises:
        SetupError: the host's part is no address of this machine.
    """
    host, _, port = address.rpartition(":")
    if port.strip("0"):
        return address
    try:
        found = socket.getaddrinfo(host.strip("[]"), 0, type=socket.SOCK_STREAM)
        family, kind, protocol, _, place = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(place)
            return f"{host}:{probe.getsockname()[1]}"
    except OSError as error:
        raise SetupError(
            f"{address} cannot be listened at: {error.strerror}",
            hint="give an address of this machine, or 0.0.0.0 for all of them",
        ) from error


def reply_to(query: zenoh.Query, key: str, data: bytes) -> None:
    """Answer a query and be done with it; a stranger that has gone is no matter."""
    try:
        with query:
            query.reply(key, data, express=True)
    except zenoh.ZError as error:
        log.debug("a lobby's answer came too late: %s", error)


def bytes_of(payload: zenoh.ZBytes, most: int) -> bytes:
    """The payload; of one that is too long only as much as shows that it is."""
    return bytes(most + 1) if len(payload) > most else payload.to_bytes()
