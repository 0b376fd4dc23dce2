"""The three captures beside each other: one picture sent twice, two documents, and the faces (R3.1, R4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from activation.evidence import FaceComparison, FaceSource
from media.captures.measured import FaceMeasured
from media.documents.agreement import compare_sides
from media.documents.readings import BackReading, DocumentRefusal, FrontReading
from media.faces import similarity

_PAIRS = (
    (FaceSource.FRONT_PORTRAIT, FaceSource.HANDHELD_FACE),
    (FaceSource.FRONT_PORTRAIT, FaceSource.HANDHELD_PORTRAIT),
    (FaceSource.HANDHELD_FACE, FaceSource.HANDHELD_PORTRAIT),
)


def compare_captures(
    front: FrontReading | None = None,
    back: BackReading | None = None,
    handheld_number: str | None = None,
    digests: Sequence[str] = (),
) -> DocumentRefusal | None:
    """The first disagreement between those captures of one order that are there.

    digests: of all captures' JPEGs. Faces are not judged here: their scores go to the gate.
    """
    if len(set(digests)) < len(digests):
        return DocumentRefusal.SAME_IMAGE_TWICE
    if front is not None and handheld_number is not None and front.number != handheld_number:
        return DocumentRefusal.DIFFERENT_DOCUMENTS
    return compare_sides(front, back) if front is not None and back is not None else None


def compare_faces(faces: Iterable[FaceMeasured]) -> tuple[FaceComparison, ...]:
    """Every pair of an order's capture faces that one model has embedded."""
    by = {face.source: face for face in faces}
    return tuple(
        FaceComparison(left, right, similarity(by[left].embedding, by[right].embedding), by[left].model)
        for left, right in _PAIRS
        if left in by and right in by and by[left].model == by[right].model
    )
