"""The back must be plausible for the front: the years of validity follow from the holder's age."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from media.documents import (
    BackReading,
    CardQuality,
    DocumentRefusal,
    FrontConfidence,
    FrontReading,
    Sex,
    compare_sides,
)

QUALITY = CardQuality(1000, 0.5, 0.0, 220.0, 200.0, 0.0, 6.0)
SURE = FrontConfidence(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
FRONT = FrontReading(
    "样本", Sex.FEMALE, "汉", date(1990, 3, 7), "样本路", "330106199003079966", SURE, QUALITY
)
BACK = BackReading("样本公安局", date(2020, 1, 1), date(2040, 1, 1), 1.0, 1.0, QUALITY)


@pytest.mark.parametrize(
    ("born", "valid_to"),
    [
        (date(2006, 3, 7), date(2025, 1, 1)),
        (date(2000, 3, 7), date(2030, 1, 1)),
        (date(1990, 3, 7), date(2040, 1, 1)),
        (date(1960, 3, 7), None),
        (date(1994, 2, 1), date(2030, 1, 1)),
        (date(1993, 12, 1), date(2030, 1, 1)),
    ],
)
def test_validity_by_age(born: date, valid_to: date | None) -> None:
    assert compare_sides(replace(FRONT, birth_date=born), replace(BACK, valid_to=valid_to)) is None


@pytest.mark.parametrize(
    ("born", "valid_to"),
    [
        (date(1990, 3, 7), date(2030, 1, 1)),
        (date(1990, 3, 7), None),
        (date(1960, 3, 7), date(2040, 1, 1)),
        (date(2000, 3, 7), date(2040, 1, 1)),
        (date(2024, 3, 7), date(2025, 1, 1)),
        (date(1990, 3, 7), date(2037, 1, 1)),
    ],
)
def test_the_back_of_somebody_of_another_age(born: date, valid_to: date | None) -> None:
    pair = replace(FRONT, birth_date=born), replace(BACK, valid_to=valid_to)
    assert compare_sides(*pair) is DocumentRefusal.DIFFERENT_DOCUMENTS
