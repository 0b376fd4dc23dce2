"""Enough of a reading to recognise one's own document by, and no more."""

from __future__ import annotations

from app.preselection.stored import Reading
from media.captures import HandheldReading
from media.documents.readings import BackReading, FrontReading


def masked_reading(reading: Reading) -> dict[str, str]:
    """Names of what was read to masked values."""
    match reading:
        case FrontReading():
            return {"name": masked_name(reading.name), "number": masked_number(reading.number)}
        case BackReading():
            ends = "长期" if reading.valid_to is None else reading.valid_to.isoformat()
            return {"valid_from": reading.valid_from.isoformat(), "valid_to": ends}
        case HandheldReading():
            return {"number": masked_number(reading.number)}


def masked_name(name: str) -> str:
    """The last character alone: `**明`."""
    return "*" * (len(name) - 1) + name[-1:]


def masked_number(number: str) -> str:
    """The first and the last: `1****************X`."""
    return number[:1] + "*" * (len(number) - 2) + number[-1:]
