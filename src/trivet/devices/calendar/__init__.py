"""Calendars: `.ics` files as phones and calendar programs write them."""

from trivet.devices.calendar.calendar import Calendar
from trivet.devices.calendar.reader import parse_calendar, read_calendar

__all__ = ["Calendar", "parse_calendar", "read_calendar"]
