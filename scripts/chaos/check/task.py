"""Did anything run twice that may run once at most?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from scripts.chaos.check.verdict import Verdict
from scripts.chaos.journal import Answered, Asked, Book, Ran

#: The tasks that a node asks for: one may run again, the other must not.
AGAIN, ONCE = "chaos.again", "chaos.once"


def check_runs(book: Book, ran: Sequence[Ran]) -> Verdict:
    """No task ran twice that is not idempotent."""
    times = Counter(line.run for line in ran if line.task == ONCE)
    broken = [
        f"{run}, asked by {_asker(book, run)}, ran {count} times"
        for run, count in sorted(times.items())
        if count > 1
    ]
    return Verdict("no task run twice that must not be", len(times), "runs", broken)


def check_answers(book: Book, ran: Sequence[Ran]) -> Verdict:
    """Whatever was answered has run."""
    done = {line.run for line in ran}
    answers = book.all(Answered)
    broken = [
        f"{line.run} of {asker} was answered and never ran"
        for asker, line in answers
        if line.run not in done
    ]
    asked = len(book.all(Asked))
    note = f"{len(answers)} of {asked} asked for were answered" if asked else ""
    return Verdict("what is answered was run", len(answers), "answers", broken, note)


def _asker(book: Book, run: str) -> str:
    found = [asker for asker, line in book.all(Asked) if line.run == run]
    return found[0] if found else "nobody"
