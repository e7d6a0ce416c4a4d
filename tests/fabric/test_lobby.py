"""The lobby over real sessions on loopback: a pairing, its ends, and its strangers."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic

import pytest
import zenoh
from tests.fabric.contract import until
from tests.fabric.pairing_stage import (
    CARD,
    GRANT,
    OUTER,
    PHONE,
    REQUEST,
    STRANGER,
    QuickExchange,
    other_code,
    why_of,
)

from trivet.domain import (
    RefusedError,
    SetupError,
    TrivetError,
    UnreachableError,
    UsageError,
)
from trivet.fabric.bucket import Bucket
from trivet.fabric.lobby import BURST, HostLobby, join, open_host_lobby
from trivet.fabric.lobby_link import (
    ROOT,
    lobby_settings,
    open_link,
    with_port,
)
from trivet.fabric.pairing import Host, HostState
from trivet.fabric.pairing_code import make_code
from trivet.fabric.pairing_joiner import Joiner, JoinerState
from trivet.fabric.pairing_wire import MAX_BYTES, Card, Grant, Why

CODE = make_code()
LOOPBACK = ("127.0.0.1:0",)


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One pairing has the real key exchange; for the others it is not the point."""
    if request.function is not test_two_devices_pair_over_the_lobby:
        monkeypatch.setattr("trivet.fabric.pairing.Exchange", QuickExchange)
        monkeypatch.setattr("trivet.fabric.pairing_joiner.Exchange", QuickExchange)


@asynccontextmanager
async def a_host(
    faults: list[TrivetError] | None = None, *, is_scouting: bool = False
) -> AsyncIterator[HostLobby]:
    told = [] if faults is None else faults
    host = Host(CODE, CARD, lambda data: PHONE, monotonic(), on_fault=told.append)
    async with open_host_lobby(host, listen=LOOPBACK, is_scouting=is_scouting) as lobby:
        yield lobby


async def yes(card: Card) -> bytes | None:
    return REQUEST


async def nothing(grant: Grant) -> None:
    return None


async def never(sessions: Sequence[str]) -> str:
    raise AssertionError(f"asked to choose out of {sessions}")


def joining(
    *lobbies: HostLobby,
    joiner: Joiner | None = None,
    accept: Callable[[Card], Awaitable[bytes | None]] = yes,
    keep: Callable[[Grant], Awaitable[None]] = nothing,
    choose: Callable[[Sequence[str]], Awaitable[str]] = never,
    is_scouting: bool = False,
    session: str | None = None,
    find_s: float = 5.0,
) -> asyncio.Future[None]:
    if session is None:  # as with a ticket, which spares a second look
        session = lobbies[0].host.session if len(lobbies) == 1 else ""
    return asyncio.ensure_future(
        join(
            joiner or Joiner(CODE, PHONE),
            accept=accept,
            keep=keep,
            choose=choose,
            connect=[address for lobby in lobbies for address in lobby.listen],
            is_scouting=is_scouting,
            session=session,
            find_s=find_s,
        )
    )


async def ended(future: asyncio.Future[None]) -> BaseException | None:
    await asyncio.wait([future])
    return future.exception()


# --- pairings --------------------------------------------------------------------


async def test_two_devices_pair_over_the_lobby() -> None:
    joiner, kept = Joiner(CODE, PHONE), []

    async def keep(grant: Grant) -> None:
        kept.append(grant)

    async with a_host() as lobby:
        task = joining(lobby, joiner=joiner, keep=keep)
        assert await lobby.newcomer() == PHONE
        lobby.accept(lambda request: GRANT)
        await lobby.finish()
        await task
    assert kept == [GRANT]
    assert joiner.state is JoinerState.DONE


async def test_a_person_may_take_their_time() -> None:
    """The joiner's question stays open while the host's person thinks."""
    async with a_host() as lobby:
        task = joining(lobby)
        await lobby.newcomer()
        await asyncio.sleep(0.3)
        assert not task.done()
        lobby.accept(lambda request: GRANT)
        await lobby.finish()
        await task


async def test_a_wrong_code_shows_on_both_sides_and_the_next_try_may_do() -> None:
    faults: list[TrivetError] = []
    async with a_host(faults) as lobby:
        wrong = Joiner(other_code(CODE), PHONE)
        error = await ended(joining(lobby, joiner=wrong))
        assert isinstance(error, RefusedError)
        assert "tries left: 2" in str(error)
        assert "wrong code" in str(faults[0])
        task = joining(lobby)
        await lobby.newcomer()
        lobby.accept(lambda request: GRANT)
        await lobby.finish()
        await task


async def test_who_is_declined_is_told() -> None:
    async with a_host() as lobby:
        task = joining(lobby)
        await lobby.newcomer()
        lobby.decline()
        assert isinstance(await ended(task), RefusedError)
        with pytest.raises(RefusedError, match="declined here"):
            await lobby.finish()


async def test_a_joiner_that_declines_ends_the_host_at_once() -> None:
    async def no(card: Card) -> None:
        return None

    async with a_host() as lobby:
        task = joining(lobby, accept=no)
        with pytest.raises(RefusedError, match="left"):
            await lobby.newcomer()
        assert isinstance(await ended(task), RefusedError)


async def test_a_joiner_that_cannot_store_says_so() -> None:
    async def fail(grant: Grant) -> None:
        raise SetupError("the disk is full")

    async with a_host() as lobby:
        task = joining(lobby, keep=fail)
        await lobby.newcomer()
        lobby.accept(lambda request: GRANT)
        with pytest.raises(RefusedError, match="revoke"):
            await lobby.finish()
        assert isinstance(await ended(task), SetupError)


async def test_a_joiner_that_is_cancelled_says_so() -> None:
    async with a_host() as lobby:
        task = joining(lobby)
        await lobby.newcomer()
        task.cancel()
        with pytest.raises(RefusedError, match="left"):
            await lobby.finish()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_host_that_closes_ends_who_waits() -> None:
    async with a_host() as lobby:
        task = joining(lobby)
        await lobby.newcomer()
    assert isinstance(await ended(task), RefusedError | UnreachableError)


async def test_time_goes_by_in_the_lobby(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trivet.fabric.pairing.CODE_S", 0.2)
    async with a_host() as lobby:
        with pytest.raises(UnreachableError, match="expired"):
            await lobby.newcomer()
        await lobby.ended()


# --- finding ---------------------------------------------------------------------


async def test_of_two_hosts_the_person_chooses() -> None:
    offered: list[str] = []

    async with a_host() as one, a_host() as two:

        async def choose(sessions: Sequence[str]) -> str:
            offered.extend(sessions)
            return two.host.session

        task = joining(one, two, choose=choose)
        assert await two.newcomer() == PHONE
        two.accept(lambda request: GRANT)
        await two.finish()
        await task
        assert sorted(offered) == sorted([one.host.session, two.host.session])
        assert one.host.state is HostState.WAITING


async def test_a_host_that_is_alone_need_not_be_chosen() -> None:
    async with a_host() as lobby:
        task = joining(lobby, session="")
        await lobby.newcomer()
        lobby.accept(lambda request: GRANT)
        await lobby.finish()
        await task


async def test_a_ticket_names_its_host() -> None:
    async with a_host() as one, a_host() as two:
        task = joining(one, two, session=two.host.session)
        await two.newcomer()
        two.accept(lambda request: GRANT)
        await two.finish()
        await task


async def test_a_host_that_is_not_there_is_unreachable() -> None:
    async with a_host() as lobby:
        task = joining(lobby, session="0" * 8, find_s=0.2)
        error = await ended(task)
    assert isinstance(error, UnreachableError)
    assert "00000000" in str(error)


async def test_there_must_be_somewhere_to_look() -> None:
    with pytest.raises(UsageError, match="nowhere"):
        await joining()


@pytest.mark.real
async def test_devices_on_one_network_find_each_other() -> None:
    async with a_host(is_scouting=True) as lobby:
        task = joining(is_scouting=True, session=lobby.host.session)
        await lobby.newcomer()
        lobby.accept(lambda request: GRANT)
        await lobby.finish()
        await task


# --- addresses -------------------------------------------------------------------


def test_a_free_port_is_found() -> None:
    host, _, port = with_port("127.0.0.1:0").rpartition(":")
    assert host == "127.0.0.1"
    assert int(port) > 0
    assert with_port("127.0.0.1:7450") == "127.0.0.1:7450"


def test_an_address_of_another_machine_cannot_be_listened_at() -> None:
    with pytest.raises(SetupError, match="cannot be listened at"):
        with_port("192.0.2.77:0")


async def test_a_taken_port_is_a_setup_error() -> None:
    host = Host(CODE, CARD, lambda data: PHONE, monotonic())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SetupError, match="lobby"):
            async with open_host_lobby(host, listen=[address], is_scouting=False):
                pass


# --- strangers -------------------------------------------------------------------


class Intruder:
    """A session without our code and without our rules, on a host's lobby."""

    def __init__(self, lobby: HostLobby) -> None:
        settings = lobby_settings(connect=lobby.listen, is_scouting=False)
        del settings["access_control"]
        self.root = f"{ROOT}/{lobby.host.session}"
        self.config = zenoh.Config.from_json5(json.dumps(settings))

    async def __aenter__(self) -> Intruder:
        self.session = await asyncio.to_thread(zenoh.open, self.config)
        await until(lambda: bool(self.session.info.peers_zid()))
        while not await self.ask(f"{self.root}/hello", b"", 0.2):
            pass  # the link is there before its declarations are
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.session.close)

    async def ask(self, key: str, data: bytes, timeout_s: float = 1.0) -> list[bytes]:
        def get() -> list[bytes]:
            replies = self.session.get(key, payload=data, timeout=timeout_s)
            return [r.ok.payload.to_bytes() for r in replies if r.ok is not None]

        return await asyncio.to_thread(get)


async def test_attack_flood_the_lobby_while_another_pairs() -> None:
    """Strangers are put off, and who is seated gets through all the same."""

    async def accept(card: Card) -> bytes | None:
        key = f"{intruder.root}/seat/{STRANGER}"
        for _ in range(20 * BURST):
            intruder.session.get(key, lambda reply: None, payload=b"x")
        return REQUEST

    async with a_host() as lobby, Intruder(lobby) as intruder:
        task = joining(lobby, accept=accept)
        await lobby.newcomer()
        lobby.accept(lambda request: GRANT)
        await lobby.finish()
        await task
        assert lobby.put_off > 0


async def test_attack_flood_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    faults: list[TrivetError] = []
    async with a_host(faults) as lobby, Intruder(lobby) as intruder:
        key = f"{intruder.root}/seat/{STRANGER}"
        answers = [await intruder.ask(key, noise) for noise in [b"\x01"] * 3 * BURST]
        words = [why_of(answer[0]) for answer in answers]
        assert words[0] is Why.MALFORMED
        assert words[-1] is Why.TOO_FAST
        assert lobby.put_off == words.count(Why.TOO_FAST)
    assert [f for f in faults if "given up" not in str(f)] == []
    assert [r for r in caplog.records if r.name.startswith("trivet")] == []


async def test_attack_send_the_lobby_too_much() -> None:
    async with a_host() as lobby, Intruder(lobby) as intruder:
        key = f"{intruder.root}/seat/{STRANGER}"
        (answer,) = await intruder.ask(key, bytes(MAX_BYTES + 1))
        assert why_of(answer) is Why.MALFORMED
        assert await intruder.ask(key, bytes(5_000_000), 0.3) == []
        assert lobby.host.state is HostState.WAITING
        assert await intruder.ask(f"{intruder.root}/hello", b"") == [b""]


@pytest.mark.parametrize(
    "key",
    ["{root}/seat/*", "{root}/**", "{root}/seat/short", "trivet-lobby/**", "**"],
)
async def test_attack_ask_for_what_is_not_there(key: str) -> None:
    async with a_host() as lobby, Intruder(lobby) as intruder:
        text = key.format(root=intruder.root)
        assert await intruder.ask(text, OUTER["hello"], 0.2) == []
        assert lobby.host.state is HostState.WAITING
        assert lobby.host.strangers == 0


async def test_attack_take_another_seat_than_ones_own() -> None:
    """The seat is the hello's nonce: nobody can be pushed out by its name."""
    async with a_host() as lobby, Intruder(lobby) as intruder:
        (answer,) = await intruder.ask(
            f"{intruder.root}/seat/{STRANGER}", OUTER["hello"]
        )
        assert why_of(answer) is Why.MALFORMED
        assert lobby.host.state is HostState.WAITING


@pytest.mark.parametrize("is_ruled", [True, False])
async def test_attack_use_the_lobby_for_other_traffic(is_ruled: bool) -> None:
    """A host's rules let nothing in but queries of its own; without them it would."""
    heard: list[str] = []
    address = with_port("127.0.0.1:0")
    at_host = lobby_settings(listen=[address], is_scouting=False, session="0" * 8)
    at_thief = lobby_settings(connect=[address], is_scouting=False)
    del at_thief["access_control"]
    if not is_ruled:
        del at_host["access_control"]
    async with open_link(at_host) as host, open_link(at_thief) as thief:
        host.declare_subscriber("**", lambda sample: heard.append("put"))
        host.declare_queryable("trivet/**", lambda query: heard.append("query"))
        await until(lambda: bool(thief.info.peers_zid()))
        for _ in range(20):
            thief.put("trivet/ours/beat/home", b"")
            thief.get("trivet/ours/ask/home", lambda reply: None, timeout=0.1)
            await asyncio.sleep(0.02)
    assert set(heard) == (set() if is_ruled else {"put", "query"})


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    bucket = Bucket(3, 2.0, 0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.5), bucket.take(0.5)] == [True, False]
    assert [bucket.take(1e6) for _ in range(4)] == [True, True, True, False]
