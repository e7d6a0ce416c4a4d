"""Sample to screen: from the phone's fabric to what a person sees on the page.

    python -m benchmarks screen browser

A simulated household lives its days as in `trivet demo`: phone, car and home as three
processes over Zenoh and mutual TLS, the home with mind and page; one more looks at the
page. The time runs from the moment at which the phone gives a fix to its session, until
the first frame has come that was drawn after it was learned; the forecasts and
suggestions that follow from it are part of that frame.

- `screen`: it is on the page's websocket, read by a client of a few lines;
- `browser`: Chromium draws it; needs Playwright and Chromium.

Trips are lived as in `trivet demo`, a step each tenth of a second, but more than twice
as fast. Rest is hurried through, and not counted.
"""

from __future__ import annotations

import multiprocessing
import re
import shutil
import socket
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from importlib import import_module
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from typing import Any, TypeAlias, cast
from urllib.parse import urlencode
from urllib.request import urlopen

import msgspec
from websockets.sync.client import connect

from trivet.app.folder import identity_folder
from trivet.app.hub import Hub
from trivet.app.life import NodeSettings
from trivet.app.node import run_node
from trivet.app.view import Frame
from trivet.devices.world import World
from trivet.domain import Adapter, DeviceKind, Sample, SetupError, Suggestion
from trivet.domain.device import Device
from trivet.domain.sample import LOCATION, Value
from trivet.fabric.identity import create_household, issue

#: Real seconds of living: some 200 fixes of trips.
LIVED_S = 52.0
PATIENCE_S = 30.0
#: Event seconds a second, and of each of the steps that hurry through a rest.
SPEED, REST_STEP_S, RESTS = 150.0, 240.0, 24
#: Event time to the real time at which it was given or seen.
Times: TypeAlias = dict[float, float]
_SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket&implicit_handshake=true&"
_FRAME = re.compile(r"frame ([\d.]+)")
#: Notes, in the browser, when each frame is drawn.
_OBSERVE = r"""() => {
  window.seen = {};
  new MutationObserver(() => {
    const note = document.querySelector("[role=note]").innerText;
    const found = /frame ([\d.]+)/.exec(note);
    if (found) requestAnimationFrame(() => {
      seen[found[1]] ??= (performance.timeOrigin + performance.now()) / 1000;
    });
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


class Stamped(Adapter):
    """A device that notes the real time at which it gives each fix."""

    def __init__(self, inner: Adapter, given: Times) -> None:
        self._inner = inner
        self._given = given

    @property
    def device(self) -> Device:
        return self._inner.device

    def samples(self, until: float) -> Iterator[Sample]:
        for sample in self._inner.samples(until):
            if sample.path == LOCATION:
                self._given[sample.time] = time.time()
            yield sample

    def command(self, path: str, value: Value, time: float) -> None:
        self._inner.command(path, value, time)


# --- the processes ------------------------------------------------------------------


def be_home(pipe: Connection, settings: NodeSettings) -> None:
    """The home: its frames bear their event time, and rest is lived quickly.

    At its end it tells the event times that each step of a trip spanned.
    """
    draw, step = Hub.frame, Hub.step
    spans: list[tuple[float, float]] = []

    def frame(hub: Hub) -> Frame:
        drawn = draw(hub)
        return msgspec.structs.replace(drawn, notice=f"frame {drawn.time:.3f}")

    async def live(hub: Hub, until: float) -> list[Suggestion]:
        before, is_trip = hub.time, hub.mind.forecast is not None
        new = await step(hub, until)
        if is_trip:
            spans.append((before, until))
        for _ in range(RESTS):
            if hub.mind.forecast is None:
                new += await step(hub, hub.time + REST_STEP_S)
        return new

    Hub.frame = frame  # type: ignore[method-assign,assignment]
    Hub.step = live  # type: ignore[method-assign,assignment]
    run_node(settings, _ignore, pipe.send)
    pipe.send(spans)


def be_device(pipe: Connection, settings: NodeSettings) -> None:
    """Phone or car; at its end it tells when it gave each fix."""
    given: Times = {}
    adapter = World.adapter

    def stamped(world: World, kind: DeviceKind, start: float | None = None) -> Adapter:
        return Stamped(adapter(world, kind, start), given)

    World.adapter = stamped  # type: ignore[method-assign,assignment]
    run_node(settings, _ignore, _ignore)
    pipe.send(given)


def _ignore(*_: object) -> None:
    pass


def watch_socket(pipe: Connection, url: str) -> None:
    """Speak as much socket.io as is needed; tell when each frame came."""
    page = urlopen(url).read().decode()
    client = re.search(r"'client_id': '([^']+)'", page)
    assert client, "NiceGUI's page names its client otherwise now"
    query = {"client_id": client[1], "next_message_id": 0}
    query |= {"tab_id": "bench", "document_id": "bench"}
    address = url.replace("http", "ws") + _SOCKET + urlencode(query)
    seen: Times = {}
    with connect(address, origin=cast(Any, url), max_size=None) as page_socket:
        page_socket.recv(PATIENCE_S)
        page_socket.send("40")
        while not pipe.poll():
            with suppress(TimeoutError):
                text = page_socket.recv(0.1)
                now = time.time()
                if text == "2":
                    page_socket.send("3")
                elif found := _FRAME.search(str(text)):
                    seen.setdefault(float(found[1]), now)
    pipe.send(seen)


def watch_browser(pipe: Connection, url: str) -> None:
    """Look at the page in Chromium; tell when each frame was drawn."""
    playwright = import_module("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("html[data-ready]")
        page.evaluate(_OBSERVE)
        pipe.recv()
        seen = page.evaluate("seen")
        pipe.send({float(frame): at for frame, at in seen.items()})
        browser.close()


def chromium() -> str | None:
    """The Chromium of this system; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


# --- what runs them -----------------------------------------------------------------


class Beside:
    """A process beside this one, and the pipe to it."""

    def __init__(self, target: Callable[..., None], argument: object) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        self.process = spawn.Process(target=target, args=(theirs, argument))
        self.process.start()
        theirs.close()

    def receive(self) -> Any:
        if not self.pipe.poll(PATIENCE_S):
            raise SystemExit(f"{self.process.name} does not answer")
        return self.pipe.recv()

    def end(self) -> None:
        self.process.terminate()
        self.process.join(PATIENCE_S)


def measure(watch: Callable[[Connection, str], None]) -> list[float]:
    """Seconds from each fix to its frame."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        household = create_household(identity_folder(folder), "bench")
        for kind in (DeviceKind.PHONE, DeviceKind.CAR, DeviceKind.HOME):
            issue(household, kind.value, kind)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            address = (f"127.0.0.1:{probe.getsockname()[1]}",)

        def begin(target: Callable[..., None], argument: object) -> Beside:
            beside = Beside(target, argument)
            stack.callback(beside.end)
            return beside

        home = begin(
            be_home, NodeSettings("home", folder, listen=address, page=0, speed=SPEED)
        )
        phone = begin(be_device, NodeSettings("phone", folder, connect=address))
        begin(be_device, NodeSettings("car", folder, connect=address))
        watcher = begin(watch, home.receive())
        time.sleep(LIVED_S)
        watcher.pipe.send("enough")
        seen = watcher.receive()
        phone.process.terminate()
        home.process.terminate()
        return list(matched(phone.receive(), seen, home.receive()))


def matched(
    given: Times, seen: Times, spans: list[tuple[float, float]]
) -> Iterator[float]:
    """Of each fix of a trip, given while somebody looked: seconds until it was seen."""
    frames, begins = sorted(seen), [begin for begin, _ in spans]
    for event, real in given.items():
        step = bisect_left(begins, event) - 1
        is_trip = step >= 0 and event <= spans[step][1]
        if is_trip and frames[0] < event <= frames[-1]:
            yield seen[frames[bisect_left(frames, event)]] - real


Row: TypeAlias = tuple[str, float, str]


def rows() -> list[Row]:
    """Name, value and unit of each figure, with nothing but trivet."""
    return _figures("on the page's websocket", measure(watch_socket))


def browser_rows() -> list[Row]:
    """The same in a browser."""
    if find_spec("playwright") is None or chromium() is None:
        raise SetupError(
            "there is no browser", hint="pip install playwright, and Chromium"
        )
    return _figures("drawn by Chromium", measure(watch_browser))


def _figures(where: str, spent_s: list[float]) -> list[Row]:
    spent_ms = [1e3 * spent for spent in spent_s]
    return [
        (f"fix to frame {where}, p50", median(spent_ms), "ms"),
        (f"fix to frame {where}, p99", quantiles(spent_ms, n=100)[98], "ms"),
        ("  fixes", float(len(spent_ms)), ""),
    ]
