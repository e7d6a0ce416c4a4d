"""Recorded lives: files of many formats, read as samples in order of event time."""

from trivet.devices.replay.adapter import ReplayAdapter
from trivet.devices.replay.reader import Options, Reader
from trivet.devices.replay.recording import read
from trivet.devices.replay.registry import READERS, detect, find_recordings
from trivet.devices.replay.report import Report, Skip
from trivet.devices.replay.source import Source

__all__ = [
    "READERS",
    "Options",
    "Reader",
    "ReplayAdapter",
    "Report",
    "Skip",
    "Source",
    "detect",
    "find_recordings",
    "read",
]
