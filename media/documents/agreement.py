"""Whether the two sides can belong to one card. Only plausibility can tell: the back names nobody."""

from __future__ import annotations

from media.documents.reading import age_on
from media.documents.readings import BackReading, DocumentRefusal, FrontReading

_AGE_TOLERANCE = 1
"""Years. A card is applied for and issued at different times, and the law counts from the application."""


def compare_sides(front: FrontReading, back: BackReading) -> DocumentRefusal | None:
    """The years of validity must be those that the holder's age on the day of issue gives
    (Resident Identity Card Law, art. 5)."""
    age = age_on(front.birth_date, back.valid_from)
    ages = range(age - _AGE_TOLERANCE, age + _AGE_TOLERANCE + 1)
    years = back.valid_to.year - back.valid_from.year if back.valid_to is not None else None
    if age < -_AGE_TOLERANCE or years not in {_validity_years(each) for each in ages}:
        return DocumentRefusal.DIFFERENT_DOCUMENTS
    return None


def _validity_years(age: int) -> int | None:
    """Years that a card is valid, by the holder's age when it was issued; None: without end."""
    if age < 16:
        return 5
    if age < 26:
        return 10
    return 20 if age < 46 else None
