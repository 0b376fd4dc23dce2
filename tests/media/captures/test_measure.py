"""The whole path of one capture, on studio applicants and on what people send by mistake."""

from __future__ import annotations

import hashlib
from datetime import date

import numpy as np
import pytest

from activation.evidence import CaptureKind, FaceSource
from app.studio import BadCapture, Flaw
from media.captures import (
    CaptureCode,
    CaptureMeasured,
    CaptureRefused,
    Engines,
    HandheldRefusal,
    compare_captures,
    compare_faces,
    measure_capture,
)
from media.documents import DocumentRefusal
from media.images import ImageRefusal, Photo, decode
from tests.media.captures.engines import open_grey_engines
from tests.media.captures.test_bareheaded import with_cap
from tests.media.people import TODAY, applicant, jpeg, pixels

FRONT, BACK, HANDHELD = CaptureKind.ID_FRONT, CaptureKind.ID_BACK, CaptureKind.HANDHELD


@pytest.fixture(scope="module")
def engines() -> Engines:
    return open_grey_engines()


def measured(kind: CaptureKind, data: bytes, engines: Engines) -> CaptureMeasured:
    capture = measure_capture(kind, data, TODAY, engines)
    assert isinstance(capture, CaptureMeasured), capture
    return capture


def code(kind: CaptureKind, data: bytes, engines: Engines, today: date = TODAY) -> CaptureCode:
    capture = measure_capture(kind, data, today, engines)
    assert isinstance(capture, CaptureRefused), "accepted"
    assert capture.kind is kind
    return capture.code


def test_front(engines: Engines) -> None:
    capture = measured(FRONT, applicant(1).front_jpeg(), engines)
    assert capture.front is not None
    assert (capture.back, capture.handheld) == (None, None)
    assert capture.front.number == applicant(1).applicant.number
    assert capture.digest == hashlib.sha256(capture.jpeg).hexdigest()
    assert isinstance(decode(capture.jpeg), Photo)
    assert {model.name for model in capture.models} == {"PP-OCRv6_det_small", "PP-OCRv6_rec_small", "grey"}
    (face,) = capture.faces
    assert face.source is FaceSource.FRONT_PORTRAIT
    assert np.linalg.norm(face.embedding) == pytest.approx(1.0, abs=1e-5)
    assert isinstance(decode(face.crop), Photo)


def test_back(engines: Engines) -> None:
    capture = measured(BACK, applicant(1).back_jpeg(), engines)
    assert capture.back is not None
    assert capture.back.valid_to == applicant(1).applicant.valid_until
    assert capture.faces == ()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_handheld(seed: int, engines: Engines) -> None:
    capture = measured(HANDHELD, applicant(seed).handheld_jpeg(), engines)
    assert capture.handheld is not None
    assert capture.handheld.number == applicant(seed).applicant.number
    assert capture.handheld.bareheaded
    assert [face.source for face in capture.faces] == [FaceSource.HANDHELD_FACE, FaceSource.HANDHELD_PORTRAIT]
    assert capture.faces[0].size > 2 * capture.faces[1].size
    assert capture.handheld.comparison.similarity > 0.8


def test_three_captures_of_one_person_agree(engines: Engines) -> None:
    person = applicant(2)
    front = measured(FRONT, person.front_jpeg(), engines)
    back = measured(BACK, person.back_jpeg(), engines)
    handheld = measured(HANDHELD, person.handheld_jpeg(), engines)
    assert handheld.handheld is not None
    digests = [front.digest, back.digest, handheld.digest]
    assert compare_captures(front.front, back.back, handheld.handheld.number, digests) is None
    compared = compare_faces((*front.faces, *back.faces, *handheld.faces))
    assert {(each.left.value, each.right.value) for each in compared} == {
        ("front_portrait", "handheld_face"),
        ("front_portrait", "handheld_portrait"),
        ("handheld_face", "handheld_portrait"),
    }
    assert all(each.similarity > 0.8 for each in compared)


def test_somebody_elses_card_in_the_hand(engines: Engines) -> None:
    front = measured(FRONT, applicant(1).front_jpeg(), engines)
    handheld = measured(HANDHELD, applicant(1).handheld_jpeg(document_of=applicant(2)), engines)
    assert handheld.handheld is not None
    refusal = compare_captures(front=front.front, handheld_number=handheld.handheld.number)
    assert refusal is DocumentRefusal.DIFFERENT_DOCUMENTS


def test_one_picture_twice() -> None:
    assert compare_captures(digests=["a", "a"]) is DocumentRefusal.SAME_IMAGE_TWICE
    assert compare_captures() is None


def test_front_twice(engines: Engines) -> None:
    assert code(BACK, applicant(1).front_jpeg(), engines) is DocumentRefusal.FRONT_SHOWN
    assert code(FRONT, applicant(1).back_jpeg(), engines) is DocumentRefusal.BACK_SHOWN


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [
        (BadCapture.CAT, DocumentRefusal.CARD_NOT_FOUND),
        (BadCapture.BLURRED, DocumentRefusal.BLURRED),
        (BadCapture.MOVED, DocumentRefusal.BLURRED),
        (BadCapture.GLARE, DocumentRefusal.GLARE),
        (BadCapture.DARK, DocumentRefusal.TOO_DARK),
        (BadCapture.CUT_EDGE, DocumentRefusal.CUT_EDGES),
        (BadCapture.TINY, DocumentRefusal.CARD_TOO_SMALL),
        (BadCapture.NO_CARD, DocumentRefusal.CARD_NOT_FOUND),
        (BadCapture.HANDHELD_WITHOUT_CARD, DocumentRefusal.CARD_NOT_FOUND),
    ],
)
def test_bad_fronts(kind: BadCapture, refusal: DocumentRefusal, engines: Engines) -> None:
    assert code(FRONT, applicant(1).bad_jpeg(kind), engines) is refusal


@pytest.mark.parametrize(
    ("flaws", "kind", "refusal"),
    [
        ({Flaw.MINOR}, FRONT, DocumentRefusal.UNDER_AGE),
        ({Flaw.WRONG_CHECKSUM}, FRONT, DocumentRefusal.NUMBER_INVALID),
        ({Flaw.SEX_DISAGREES}, FRONT, DocumentRefusal.FIELDS_DISAGREE),
        ({Flaw.EXPIRED}, BACK, DocumentRefusal.EXPIRED),
        ({Flaw.NOT_YET_VALID}, BACK, DocumentRefusal.NOT_YET_VALID),
    ],
)
def test_flawed_documents(
    flaws: set[Flaw], kind: CaptureKind, refusal: DocumentRefusal, engines: Engines
) -> None:
    person = applicant(7, flaws=flaws)
    data = person.front_jpeg() if kind is FRONT else person.back_jpeg()
    assert code(kind, data, engines) is refusal


def test_a_front_without_its_portrait(engines: Engines) -> None:
    card = applicant(1).front.copy()
    card[150:820, 1060:1600] = (230, 228, 226)
    assert code(FRONT, jpeg(card), engines) is DocumentRefusal.PORTRAIT_MISSING


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [
        (BadCapture.CAT, HandheldRefusal.NO_FACE),
        (BadCapture.NO_CARD, HandheldRefusal.NO_FACE),
        (BadCapture.HANDHELD_WITHOUT_CARD, HandheldRefusal.CARD_NOT_SEEN),
    ],
)
def test_bad_handhelds(kind: BadCapture, refusal: HandheldRefusal, engines: Engines) -> None:
    assert code(HANDHELD, applicant(1).bad_jpeg(kind), engines) is refusal


def test_a_scan_of_the_card_is_no_handheld_photo(engines: Engines) -> None:
    """Its portrait is no living face, however large."""
    assert code(HANDHELD, applicant(1).front_jpeg(), engines) is HandheldRefusal.NO_FACE


def test_two_people(engines: Engines) -> None:
    one, two = pixels(applicant(1).handheld_jpeg()), pixels(applicant(2).handheld_jpeg())
    assert code(HANDHELD, jpeg(np.hstack([one, two])), engines) is HandheldRefusal.SEVERAL_FACES


@pytest.mark.parametrize("quarters", [1, 3])
def test_a_handheld_photo_that_lies_on_its_side(quarters: int, engines: Engines) -> None:
    """Without it a hat would be looked for beside the ear."""
    picture = pixels(applicant(1).handheld_jpeg())
    lying = jpeg(np.rot90(picture, quarters))
    assert measured(HANDHELD, lying, engines).handheld is not None
    hat = jpeg(np.rot90(with_cap(picture, (200, 60, 20)), quarters))
    assert code(HANDHELD, hat, engines) is HandheldRefusal.HEAD_COVERED


def test_a_head_that_is_cut_off_is_not_taken_for_bare(engines: Engines) -> None:
    picture = pixels(applicant(1).handheld_jpeg())
    top = round(engines.finder.find(picture)[0].box[1])
    assert code(HANDHELD, jpeg(picture[top:]), engines) is HandheldRefusal.HEAD_CUT


def test_a_hat(engines: Engines) -> None:
    picture = with_cap(pixels(applicant(1).handheld_jpeg()), (200, 60, 20))
    assert code(HANDHELD, jpeg(picture), engines) is HandheldRefusal.HEAD_COVERED


def test_an_unreadable_number_in_the_hand(engines: Engines) -> None:
    small = pixels(applicant(1).handheld_jpeg())[::4, ::4]
    refusal = code(HANDHELD, jpeg(np.kron(small, np.ones((4, 4, 1), np.uint8))), engines)
    assert refusal in (HandheldRefusal.CARD_NUMBER_UNREAD, HandheldRefusal.FACE_BLURRED)


def test_a_dark_face(engines: Engines) -> None:
    dark = (pixels(applicant(1).handheld_jpeg()) * 0.2).astype(np.uint8)
    assert code(HANDHELD, jpeg(dark), engines) is HandheldRefusal.FACE_TOO_DARK


@pytest.mark.parametrize("kind", list(CaptureKind))
def test_bytes_that_are_no_picture(kind: CaptureKind, engines: Engines) -> None:
    assert code(kind, b"", engines) is ImageRefusal.EMPTY
    assert code(kind, b"\xff\xd8\xff", engines) is ImageRefusal.UNREADABLE


def test_a_capture_says_nothing_of_a_person(engines: Engines) -> None:
    for kind, data in ((FRONT, applicant(1).front_jpeg()), (HANDHELD, applicant(1).handheld_jpeg())):
        text = repr(measured(kind, data, engines))
        assert applicant(1).applicant.number not in text
        assert applicant(1).applicant.name not in text
        assert len(text) < 2500
