"""Times and durations."""

from __future__ import annotations

from datetime import UTC, datetime

from auditkit.words.numbers import DASH

# Not strftime's %B, which follows the machine's locale.
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def moment(text: str) -> str:
    """Write an ISO 8601 time as ``22 November 2026, 01:40 UTC``; any other text is shown as it is."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return f"{time.day} {_MONTHS[time.month - 1]} {time.year}, {time:%H:%M} UTC"


def duration(seconds: float | None) -> str:
    """Write a duration in seconds or minutes."""
    if seconds is None:
        return DASH
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
