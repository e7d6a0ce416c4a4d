"""The history of a device: kept, aged, exported and forgotten."""

from trivet.fabric.history.forget import Forget, make_forget
from trivet.fabric.history.history import History
from trivet.fabric.history.rule import Rule, make_rule

__all__ = ["Forget", "History", "Rule", "make_forget", "make_rule"]
