"""The time as it is written into files and rows."""

from datetime import UTC, datetime


def now() -> str:
    """ISO 8601 in UTC, to the microsecond, so that names and rows sort by it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
