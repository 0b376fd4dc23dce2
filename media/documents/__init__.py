"""Documents: find the identity card in a picture, lay it flat, read it. The door to rapidocr and zxing."""

from media.documents.agreement import compare_sides
from media.documents.iccid import find_iccid
from media.documents.ocr import TextReader, ocr_models, shared_reader
from media.documents.quality import CardQuality
from media.documents.reading import check_back, check_front, read_back, read_front
from media.documents.readings import (
    BackReading,
    CardSighting,
    CardVote,
    DocumentRefusal,
    FrontConfidence,
    FrontReading,
    Sex,
)
from media.documents.stream import CardReader

__all__ = [
    "BackReading",
    "CardQuality",
    "CardReader",
    "CardSighting",
    "CardVote",
    "DocumentRefusal",
    "FrontConfidence",
    "FrontReading",
    "Sex",
    "TextReader",
    "check_back",
    "check_front",
    "compare_sides",
    "find_iccid",
    "ocr_models",
    "read_back",
    "read_front",
    "shared_reader",
]
