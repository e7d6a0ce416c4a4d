"""Seats: roles that one device holds for the household, and that another takes over.

A seat is held by the promises of a majority, with a token greater than any before, and
lost when they are not renewed. See docs/takeover.md.
"""

from trivet.fabric.seat.book import Book, FileBook, MemoryBook
from trivet.fabric.seat.candidate import Candidate
from trivet.fabric.seat.fence import Fence
from trivet.fabric.seat.plan import ENGINE, Plan, order_of, roll_of
from trivet.fabric.seat.steady import steady_s
from trivet.fabric.seat.table import Table
from trivet.fabric.seat.view import Hold, Send, Standing, View
from trivet.fabric.seat.voter import Voter
from trivet.fabric.seat.word import SEAT, Roll, check_seat, pack, unpack

__all__ = [
    "ENGINE",
    "SEAT",
    "Book",
    "Candidate",
    "Fence",
    "FileBook",
    "Hold",
    "MemoryBook",
    "Plan",
    "Roll",
    "Send",
    "Standing",
    "Table",
    "View",
    "Voter",
    "check_seat",
    "order_of",
    "pack",
    "roll_of",
    "steady_s",
    "unpack",
]
