"""Skills: one file a suggestion. They know not each other; the registry names them."""

from trivet.skills.registry import GROUP, SKILLS, known, load

__all__ = ["GROUP", "SKILLS", "known", "load"]
