"""Every refusal has a text in both languages that tells what to do."""

from __future__ import annotations

from media.captures import CAPTURE_MESSAGES, HandheldRefusal, ProcessingRefusal
from media.documents import DocumentRefusal
from media.images import ImageRefusal

CODES = [*ImageRefusal, *DocumentRefusal, *HandheldRefusal, *ProcessingRefusal]


def test_each_code_has_its_texts() -> None:
    assert set(CAPTURE_MESSAGES) == set(CODES)
    for texts in CAPTURE_MESSAGES.values():
        assert set(texts) == {"zh-CN", "en"}
        assert texts["zh-CN"].endswith("。")
        assert texts["en"].endswith(".")


def test_codes_are_told_apart_by_their_value() -> None:
    assert len({code.value for code in CODES}) == len(CODES)
