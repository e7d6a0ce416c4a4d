"""The command line of the benchmarks that live simulated lives, by seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

#: Name, value and unit of a figure.
Row = tuple[str, float, str]


def run(
    arguments: Sequence[str],
    judge: Callable[[list[int]], Iterable[Row]],
    *,
    development: Iterable[int],
    reported: Iterable[int],
    lives: str,
) -> None:
    """Judge the seeds that are named, those of `--dev`, or what is reported; print it.

    Args:
        arguments: of the command; other words with two dashes are the caller's.
        judge: gives the figures over some seeds.
        development: seeds on which numbers were chosen.
        reported: seeds on which none was.
        lives: what was simulated, and for how long, in words.
    """
    seeds = [int(word) for word in arguments if not word.startswith("--")]
    seeds = seeds or list(development if "--dev" in arguments else reported)
    print(f"{lives}, of seeds {' '.join(map(str, seeds))}", flush=True)
    show(judge(seeds))


def show(rows: Iterable[Row]) -> None:
    """Print each figure as soon as it is known."""
    for what, value, unit in rows:
        print(f"  {what:<64} {value:>12,.3f} {unit}", flush=True)
