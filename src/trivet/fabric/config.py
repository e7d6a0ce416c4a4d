"""A session's configuration, and what it means in Zenoh's own settings; pure.

Source: Zenoh 1.10, `DEFAULT_CONFIG.json5`. Which trap each setting is there for is
in docs/decisions/0002-zenoh-sessions.md.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec

from trivet.domain.error import UsageError
from trivet.domain.wire import MAX_BYTES
from trivet.fabric.identity import Identity
from trivet.fabric.rule import Neighbourhood, access_control

#: The same on both sides of every link: with unequal ones a direction can stay dead.
LEASE_MS = 2000
RETRY_MS = (100, 500)
#: What the network's own buffers of a link hold at each end. As large as they would
#: grow, what a peer sent before it froze would go on arriving for seconds.
BUFFER_BYTES = 128 * 1024
#: Batches of 64 KiB that wait for a slow peer, and how long a sender then waits before
#: its message is dropped: a burst is slowed down, a frozen peer stalls nobody for long.
QUEUE_BATCHES = 16
WAIT_BEFORE_DROP_US = 20_000

_ENDPOINT = re.compile(
    r"(?:tls/)?((?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5})", re.ASCII
)


class Role(StrEnum):
    """How a session takes part in what others say to each other."""

    #: linked with each device that it reaches
    PEER = "peer"
    #: linked with routers alone, through which it reaches all others
    LEAF = "leaf"
    #: passes on what the others say to each other
    ROUTER = "router"


class SessionConfig(msgspec.Struct, frozen=True):
    """How a device takes its place on the fabric.

    Attributes:
        identity: the device's own, as loaded.
        listen: `host:port` at which others may dial this device.
        connect: `host:port` of the devices that this one dials; those must not list
            this one in turn.
        members: ids of the devices that may speak here. Each may then write and ask
            only in its own name, and read only what is addressed to it, by the name
            in the certificate that it shows; others are not heard. Empty: any
            certificate of the household will do, and a device is believed who it
            says it is. Fixed until the session is reopened.
        is_scouting: whether to look for peers by multicast as well.
        is_name_checked: whether a dialled device's certificate must name the host
            dialled, besides being of this household.
        capacity: messages that wait to be read before the oldest is dropped.
        close_limit_s: seconds that leaving may take.
        role: how it takes part. Of two peers that a router serves, each must reach the
            other by itself: a router passes on between its leaves, other routers and
            its `lans`, not within one of these. A router needs `members`.
        routers: those of the members that are routers. Over a link with one of them
            each member is believed who the router says that it is.
        lans: names of a router's network interfaces, as `eth0`, where the peers of
            each are a group of their own. Empty: all its peers are one group.
    """

    identity: Identity
    listen: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    is_scouting: bool = False
    is_name_checked: bool = True
    capacity: int = 4096
    close_limit_s: float = 0.9
    role: Role = Role.PEER
    routers: tuple[str, ...] = ()
    lans: tuple[str, ...] = ()


def settings_of(config: SessionConfig) -> dict[str, Any]:
    """Zenoh's settings for a session. They hold the private key: never log them.

    Raises:
        UsageError: an endpoint is not `host:port`, or asks for anything but TLS; or the
            role does not go with the rest.
    """
    _check_role(config)
    # of two that listen, one dials; whoever cannot be dialled must dial
    to_peer = "greater-zid" if config.listen else "always"
    one_side_dials = {"peer": {"to_peer": to_peer, "to_router": "always"}}
    settings = {
        "mode": _mode(config.role),
        "listen": {
            "endpoints": _only(config.role, _endpoints(config.listen)),
            "exit_on_failure": True,
            "timeout_ms": 0,
        },
        "connect": {
            "endpoints": _only(config.role, _endpoints(config.connect)),
            "exit_on_failure": False,
            "timeout_ms": -1,
            "retry": {
                "period_init_ms": RETRY_MS[0],
                "period_max_ms": RETRY_MS[1],
                "period_increase_factor": 1.5,
            },
        },
        "scouting": {
            "gossip": {"enabled": True, "autoconnect_strategy": one_side_dials["peer"]},
            "multicast": {
                "enabled": config.is_scouting,
                "autoconnect_strategy": one_side_dials["peer"],
            },
        },
        "transport": _transport(config),
    }
    if config.lans:
        settings["gateway"] = {"south": _south(config.lans)}
    if config.members:
        me = config.identity
        place = Neighbourhood(
            me.household,
            me.device,
            config.members,
            config.routers,
            config.role is Role.ROUTER,
        )
        settings["access_control"] = access_control(place)
    return settings


def _check_role(config: SessionConfig) -> None:
    if config.role is Role.LEAF and (config.listen or not config.connect):
        raise UsageError(
            "a leaf dials routers and is not dialled",
            hint="give a router's host:port to dial, and none to listen at",
        )
    if config.role is Role.ROUTER and not config.members:
        raise UsageError("a router must know whom it serves")
    if config.lans and config.role is not Role.ROUTER:
        raise UsageError("only a router passes on between networks")


def _mode(role: Role) -> str:
    # Zenoh's client has one link only, and opening its session blocks for as long as
    # nobody is there; a router without listeners has neither trouble
    return "peer" if role is Role.PEER else "router"


def _only(role: Role, endpoints: list[str]) -> dict[str, list[str]]:
    """Endpoints by mode: Zenoh's own defaults are plain TCP, and must not come up."""
    return {"peer": [], "router": [], _mode(role): endpoints}


def _south(lans: Sequence[str]) -> list[dict[str, Any]]:
    """Zenoh's groups of peers: it passes on between them."""
    return [{"filters": [{"interfaces": [lan], "modes": ["peer"]}]} for lan in lans]


def _endpoints(texts: Sequence[str]) -> list[str]:
    found = [_ENDPOINT.fullmatch(text) for text in texts]
    for text, match in zip(texts, found, strict=True):
        if match is None or int(text.rsplit(":", 1)[1]) > 65535:
            raise UsageError(
                f"{text!r} is not host:port",
                hint="every link is TLS: give no other protocol",
            )
    return [f"tls/{match[1]}" for match in found if match]


def _transport(config: SessionConfig) -> dict[str, Any]:
    identity = config.identity
    cert = str(identity.cert_path)
    # handed over in memory: on the disk it may be locked with a passphrase
    private = b64encode(identity.private_pem()).decode()
    return {
        "link": {
            "protocols": ["tls"],
            "tls": {
                "root_ca_certificate": str(identity.ca_path),
                "enable_mtls": True,
                "listen_certificate": cert,
                "listen_private_key_base64": private,
                "connect_certificate": cert,
                "connect_private_key_base64": private,
                "verify_name_on_connect": config.is_name_checked,
                "close_link_on_expiration": True,
                "so_sndbuf": BUFFER_BYTES,
                "so_rcvbuf": BUFFER_BYTES,
            },
            "tx": {
                "lease": LEASE_MS,
                "queue": {
                    "size": {"data": QUEUE_BATCHES},
                    "congestion_control": {
                        "drop": {
                            "wait_before_drop": WAIT_BEFORE_DROP_US,
                            "max_wait_before_drop_fragments": WAIT_BEFORE_DROP_US,
                        }
                    },
                },
            },
            # room for one message with its key and headers, not for Zenoh's 1 GiB
            "rx": {"max_message_size": 2 * MAX_BYTES},
        },
        # memory shared between processes would go around TLS
        "shared_memory": {"enabled": False},
    }
