"""A session's configuration, and what it means in Zenoh's own settings; pure.

Source: Zenoh 1.10, `DEFAULT_CONFIG.json5`. Which trap each setting is there for is
in docs/decisions/0002-zenoh-sessions.md.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import msgspec

from trivet.domain.error import UsageError
from trivet.domain.wire import MAX_BYTES
from trivet.fabric import key
from trivet.fabric.identity import Identity

#: The same on both sides of every link: with unequal ones a direction can stay dead.
LEASE_MS = 2000
RETRY_MS = (100, 500)
#: Batches of 64 KiB that wait for a slow peer, and how long a sender then waits before
#: its message is dropped: a burst is slowed down, a frozen peer stalls nobody for long.
QUEUE_BATCHES = 16
WAIT_BEFORE_DROP_US = 20_000

_ENDPOINT = re.compile(
    r"(?:tls/)?((?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5})", re.ASCII
)


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
    """

    identity: Identity
    listen: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    is_scouting: bool = False
    is_name_checked: bool = True
    capacity: int = 4096
    close_limit_s: float = 0.9


def settings_of(config: SessionConfig) -> dict[str, Any]:
    """Zenoh's settings for a session. They hold the private key: never log them.

    Raises:
        UsageError: an endpoint is not `host:port`, or asks for anything but TLS.
    """
    # of two that listen, one dials; whoever cannot be dialled must dial
    to_peer = "greater-zid" if config.listen else "always"
    one_side_dials = {"peer": {"to_peer": to_peer, "to_router": "always"}}
    settings = {
        "mode": "peer",
        "listen": {
            "endpoints": {"peer": _endpoints(config.listen), "router": []},
            "exit_on_failure": True,
            "timeout_ms": 0,
        },
        "connect": {
            "endpoints": {"peer": _endpoints(config.connect), "router": []},
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
    if config.members:
        settings["access_control"] = _access(config)
    return settings


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


def _access(config: SessionConfig) -> dict[str, Any]:
    """Rules by certificate name: each member speaks for itself and hears its own."""
    me = config.identity.device
    others = [key.check_id(m) for m in dict.fromkeys(config.members) if m != me]
    rules, policies = [], []
    for other in others:
        inward = _rules(config.identity.household, other, me, "ingress")
        outward = _rules(config.identity.household, me, other, "egress")
        rules += inward + outward
        names = [rule["id"] for rule in inward + outward]
        policies.append({"rules": names, "subjects": [other]})
    return {
        "enabled": True,
        "default_permission": "deny",
        "rules": rules,
        "subjects": [{"id": o, "cert_common_names": [o]} for o in others],
        "policies": policies,
    }


def _rules(house: str, source: str, target: str, flow: str) -> list[dict[str, Any]]:
    """What `source` may send to `target` over their link."""
    everyone, beats = key.everyone_alive(house), key.beats_to(house, source)
    to_target = f"{key.ROOT}/{house}/to/{target}/from/{source}/**"
    asks_target = f"{key.ROOT}/{house}/ask/{target}/from/{source}/**"
    answers_target = f"{key.ROOT}/{house}/ask/{source}/from/{target}/**"
    allowed = {
        "data": (["put"], [to_target, key.beat(house, source, target)]),
        "ask": (["query"], [asks_target]),
        "answer": (["reply"], [answers_target]),
        "read": (["declare_subscriber"], [key.inbox(house, source), beats]),
        "serve": (["declare_queryable"], [key.desk(house, source)]),
        "alive": (["liveliness_token"], [key.alive(house, source)]),
        "watch": (["declare_liveliness_subscriber", "liveliness_query"], [everyone]),
    }
    return [
        {
            "id": f"{flow}-{source}-{target}-{name}",
            "permission": "allow",
            "flows": [flow],
            "messages": messages,
            "key_exprs": keys,
        }
        for name, (messages, keys) in allowed.items()
    ]
