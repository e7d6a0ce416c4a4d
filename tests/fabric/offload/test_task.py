"""What a task says of itself, and whose fault a bad value is."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any

import msgspec
import pytest
from tests.fabric.offload import work

from trivet.domain import SetupError, TaskError, UsageError, WireError
from trivet.fabric.offload import Cost, Registry, Task, load_registry, registry, task
from trivet.fabric.offload.task import MAX_BYTES


def takes_any(value: Any) -> int:
    return 0


def unannotated(value):  # type: ignore[no-untyped-def]
    return value


def two(first: int, second: int) -> int:
    return first + second


async def waits(value: int) -> int:
    return value


def odd(value: Callable[[], int]) -> int:
    return value()


def adds(number: int) -> int:
    """Other words, the same types."""
    return number + 1


def adds_text(number: str) -> int:
    return len(number)


def made(function: Callable[..., Any], **settings: Any) -> Task[Any, Any]:
    return task(**({"name": "some.task"} | settings))(function)


def test_a_task_is_still_its_function() -> None:
    assert work.add(1) == 2
    assert work.add.name == "add"
    assert repr(work.add) == "<task add>"
    assert work.add.target == "tests.fabric.offload.work:add"


def test_values_cross_as_their_types() -> None:
    wish = work.Wish("ab", 2)
    assert work.grow.decode_input(work.grow.encode_input(wish)) == wish
    grown = work.Grown("abab", 7)
    assert work.grow.decode_output(work.grow.encode_output(grown)) == grown


def test_a_wrong_input_is_its_callers_fault() -> None:
    with pytest.raises(UsageError, match=r"of add cannot be 1\.5: Expected `int`"):
        work.add.encode_input(1.5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="cannot be"):
        work.add.encode_input(object())  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"the most is {MAX_BYTES}"):
        work.echo.encode_input(bytes(MAX_BYTES))


def test_a_wrong_output_is_the_tasks_fault() -> None:
    with pytest.raises(TaskError, match=r"add gave a str.*mend the task"):
        work.add.encode_output("x")  # type: ignore[arg-type]
    with pytest.raises(TaskError, match=f"the most is {MAX_BYTES}"):
        work.echo.encode_output(bytes(MAX_BYTES))


@pytest.mark.parametrize("data", [b"", b"\xa1x", b"\x01\x01", bytes(MAX_BYTES + 1)])
def test_attack_bytes_that_are_no_value_are_their_senders_fault(data: bytes) -> None:
    with pytest.raises(WireError, match="input of add"):
        work.add.decode_input(data)
    with pytest.raises(WireError, match="output of add"):
        work.add.decode_output(data)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"name": "Add"}, "cannot be called 'Add'"),
        ({"name": "a" * 65}, "cannot be called"),
        ({"name": ""}, "cannot be called"),
        ({"memory_mb": 0}, "memory_mb is 0"),
        ({"timeout_s": 0.0}, "timeout_s is 0"),
        ({"timeout_s": float("nan")}, "timeout_s is nan"),
    ],
)
def test_bad_settings_are_told(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        made(adds, **settings)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (waits, "without await"),
        (two, "takes one argument"),
        (lambda value: value, "not found from another process"),
    ],
)
def test_a_function_that_cannot_be_one_is_told(
    function: Callable[..., Any], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        made(function)


@pytest.mark.parametrize("function", [unannotated, odd])
def test_bad_annotations_are_told_when_it_is_offered(
    function: Callable[..., Any],
) -> None:
    with pytest.raises(UsageError, match="badly annotated"):
        Registry([made(function)])


def test_the_digest_stands_for_types_and_promise_and_not_for_words() -> None:
    assert made(adds).digest == made(work.add.function).digest
    others = (
        made(adds_text),
        made(adds, name="other"),
        made(adds, is_idempotent=False),
        made(takes_any),
    )
    assert len({made(adds).digest, *(other.digest for other in others)}) == 5
    assert made(adds, cost=Cost.HEAVY, timeout_s=1.0).digest == made(adds).digest


# --- the registry -------------------------------------------------------------------


def test_a_task_that_no_other_process_would_find_is_told() -> None:
    with pytest.raises(UsageError, match=r"test_task:adds is not the task some\.task"):
        Registry([made(adds)])


def test_a_name_is_taken_once() -> None:
    with pytest.raises(UsageError, match="a task add already"):
        Registry([work.add, work.add])
    assert Registry([work.add]).find("add") is work.add
    assert Registry([work.add]).find("other") is None


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, registry.GROUP)


def test_packages_bring_tasks_and_broken_ones_are_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found = (
        entry("grow", "tests.fabric.offload.work:grow"),
        entry("add", "tests.fabric.offload.work:add"),
        entry("gone", "no.such.module:gone"),
    )
    monkeypatch.setattr(registry, "entry_points", lambda group: found)
    loaded = load_registry([work.add])
    assert {each.name for each in loaded} == {"add", "grow"}
    assert loaded.find("add") is work.add
    assert "gone (no.such.module:gone) cannot be loaded" in caplog.text


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("wish", "tests.fabric.offload.work:Wish", "is a StructMeta, not a task"),
        ("other", "tests.fabric.offload.work:add", "calls itself add"),
    ],
)
def test_an_entry_point_that_is_wrong_is_told(name: str, value: str, says: str) -> None:
    with pytest.raises(SetupError, match=says):
        registry.load(entry(name, value))


def test_a_schema_that_speaks_of_description_is_not_emptied() -> None:
    class Described(msgspec.Struct):
        description: int

    def first(value: Described) -> int:
        return value.description

    first.__qualname__ = "first"
    first.__annotations__ = {"value": Described, "return": int}
    assert made(first).digest != made(takes_any).digest
