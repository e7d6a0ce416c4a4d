"""What any forecast must beat: each learned in the same pass, on the same places."""

from benchmarks.anticipation.baseline.every import BASELINES, Baseline, baselines

__all__ = ["BASELINES", "Baseline", "baselines"]
