"""The judgement: one file a promise, each held against what was written down."""
