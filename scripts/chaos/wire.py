"""The household's network: a switch that can be slow, and mix up what it carries.

    python -m scripts.chaos.wire PORTS

Each port is a TAP device `port1` ... of this namespace, to be moved into a host's, to
be the host's interface. A host's number is the last byte of its MAC address. Orders
come as lines, `PORT DELAY_MS SPREAD_MS`: each frame from that port leaves after the
delay and a random part of the spread, so that a spread mixes the order. Ends with its
input.

Source: Linux, Documentation/networking/tuntap.rst.
"""

from __future__ import annotations

import fcntl
import heapq
import os
import selectors
import struct
import sys
import time
from random import Random

_TUNSETIFF = 0x400454CA
_TAP, _NO_INFO = 0x0002, 0x1000
_MOST_BYTES = 65536
#: Frames that wait at most; more are dropped, as a real switch does.
MAX_WAITING = 20_000


class Queue:
    """Frames on their way, each until its time; pure.

    Args:
        random: for the spread.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._waiting: list[tuple[float, int, int, bytes]] = []
        self._count = 0
        self._late: dict[int, tuple[float, float]] = {}

    def obey(self, order: str) -> None:
        """Take an order: `PORT DELAY_MS SPREAD_MS`."""
        port, delay_ms, spread_ms = (int(word) for word in order.split())
        self._late[port] = delay_ms / 1000.0, spread_ms / 1000.0

    def put(self, port: int, frame: bytes, now: float) -> None:
        """A frame has come in at a port."""
        delay_s, spread_s = self._late.get(port, (0.0, 0.0))
        due = now + delay_s + (self._random.uniform(0.0, spread_s) if spread_s else 0)
        if len(self._waiting) < MAX_WAITING:
            self._count += 1
            heapq.heappush(self._waiting, (due, self._count, port, frame))

    def take(self, now: float) -> list[tuple[int, bytes]]:
        """The frames that are due, and the ports that they came from."""
        due = []
        while self._waiting and self._waiting[0][0] <= now:
            _, _, port, frame = heapq.heappop(self._waiting)
            due.append((port, frame))
        return due

    def wait_s(self, now: float) -> float | None:
        """Seconds until the next one is due, None if none waits."""
        return max(0.0, self._waiting[0][0] - now) if self._waiting else None


def goes_to(frame: bytes, source: int, ports: int) -> list[int]:
    """The ports that a frame leaves by: one, or all others for what is for many."""
    if frame[0] & 1:
        return [port for port in range(1, ports + 1) if port != source]
    port = frame[5]
    return [port] if 1 <= port <= ports and port != source else []


def run(ports: int) -> None:
    """Carry frames until the input ends."""
    taps = {port: _open(f"port{port}") for port in range(1, ports + 1)}
    queue = Queue(Random(0))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    with selectors.DefaultSelector() as waiting:
        for port, tap in taps.items():
            waiting.register(tap, selectors.EVENT_READ, port)
        waiting.register(sys.stdin, selectors.EVENT_READ, 0)
        while True:
            for key, _ in waiting.select(queue.wait_s(time.monotonic())):
                if key.data:
                    _read(taps[key.data], key.data, queue)
                elif not _take_order(queue):
                    return
            for source, frame in queue.take(time.monotonic()):
                for port in goes_to(frame, source, ports):
                    _write(taps[port], frame)


def _take_order(queue: Queue) -> bool:
    order = sys.stdin.readline()
    if order.strip():
        queue.obey(order)
    return bool(order)


def _open(name: str) -> int:
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH", name.encode(), _TAP | _NO_INFO))
    return tap


def _read(tap: int, port: int, queue: Queue) -> None:
    now = time.monotonic()
    try:
        for _ in range(64):
            queue.put(port, os.read(tap, _MOST_BYTES), now)
    except BlockingIOError:
        return
    except OSError:  # the interface is down
        time.sleep(0.001)


def _write(tap: int, frame: bytes) -> None:
    try:
        os.write(tap, frame)
    except OSError:  # its interface is down, or its host does not keep up: lost
        return


if __name__ == "__main__":
    run(int(sys.argv[1]))
