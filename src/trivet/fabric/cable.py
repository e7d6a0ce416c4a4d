"""The cables of this process: its TCP connections, and cutting one of them.

Zenoh gives no way to close one link, and closing its session would take the healthy
ones along. But a link is a socket of this process. Shut down, it ends at once for
both directions, whatever waits in its buffers, and Zenoh sees what it would see if
the network had broken: it drops the link and dials again.

Source: shutdown(2), socket(7) on SO_LINGER, proc(5).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from stat import S_ISSOCK
from struct import pack
from typing import NamedTuple

#: Zenoh has its sockets linger: whoever closes one that is cut, it or we, would wait
#: for seconds that the other end takes what is in it.
_AT_ONCE = pack("ii", 1, 0)
#: Where a process finds its own open files, on Linux and on other Unixes.
_OPEN_FILES = ("/proc/self/fd", "/dev/fd")


class End(NamedTuple):
    """One end of a connection."""

    host: str
    port: int


class Cable(NamedTuple):
    """A TCP connection: this device's end, and the other's."""

    near: End
    far: End


def read_end(locator: str) -> End | None:
    """The address in a locator of Zenoh's, as `tls/192.168.1.20:7447`, if any."""
    host, _, port = locator.partition("/")[2].partition("?")[0].rpartition(":")
    try:
        return _end(host.strip("[]"), int(port))
    except ValueError:
        return None


def between(
    links: Iterable[tuple[str | None, str, str]],
) -> Iterator[tuple[str, Cable]]:
    """Each link's device and cable; of those that name a device and two ends.

    Args:
        links: of each the device's certificate name, and Zenoh's locators of the near
            and the far end.
    """
    for device, near_text, far_text in links:
        near, far = read_end(near_text), read_end(far_text)
        if device and near and far:
            yield device, Cable(near, far)


def cut(cables: Collection[Cable]) -> int:
    """Shut these connections down. Returns how many there were."""
    count = 0
    for connection in _connections() if cables else ():
        with connection, suppress(OSError, ValueError):  # no longer connected
            near, far = connection.getsockname(), connection.getpeername()
            if Cable(_end(*near[:2]), _end(*far[:2])) in cables:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                connection.shutdown(socket.SHUT_RDWR)
                count += 1
    return count


def _connections() -> Iterator[socket.socket]:
    """This process's TCP sockets, each by a descriptor of its own.

    What is looked at is then what is cut, even if its owner closes it meanwhile and
    its number goes to another file.

    A file is never opened a second time here, since to close one descriptor of it
    drops all locks that the process holds on it (fcntl(2)): SQLite's on a ledger, too.
    """
    for folder in _OPEN_FILES:
        if os.path.isdir(folder):
            break
    else:
        return
    for name in os.listdir(folder):
        try:
            if not S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            number = os.dup(int(name))
        except (OSError, ValueError):  # closed meanwhile
            continue
        if not S_ISSOCK(os.fstat(number).st_mode):
            continue  # in this very moment it became a file: it stays open
        found = socket.socket(fileno=number)
        is_internet = found.family in (socket.AF_INET, socket.AF_INET6)
        if is_internet and found.type == socket.SOCK_STREAM:
            yield found
        else:
            found.close()


def _end(host: str, port: int) -> End:
    address = ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return End(str(mapped or address), port)
