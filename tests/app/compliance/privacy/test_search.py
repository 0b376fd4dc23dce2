"""The scan is not blind: whatever is planted, in whatever form and wherever it stands, is found."""

from __future__ import annotations

import base64
import json
import os
import random
from collections import Counter
from collections.abc import Callable
from urllib.parse import quote

import numpy as np
import pytest

from app.compliance.privacy.marks import embedding_looks, picture_marks
from app.compliance.privacy.needles import Embedding, Kind, Needle, patterns_of
from app.compliance.privacy.search import OVERLAP, PIECE, Pattern, Search

PEOPLE = {
    Kind.NAME: "样本甲",
    Kind.NUMBER: "11010119900307001X",
    Kind.ADDRESS: "北京市东城区样本胡同 1 号",
    Kind.PHONE: "13900000001",
}
FORMS: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda text: text.encode(),
    "utf-16 little": lambda text: text.encode("utf-16-le"),
    "utf-16 big": lambda text: text.encode("utf-16-be"),
    "gbk": lambda text: text.encode("gbk"),
    "json": lambda text: json.dumps({"a": text}).encode(),
    "json upper": lambda text: json.dumps(text).upper().replace("\\U", "\\u").encode(),
    "url": lambda text: quote(text).encode(),
    "url lower": lambda text: quote(text).lower().encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "HEX": lambda text: text.encode().hex().upper().encode(),
    "reversed": lambda text: text[::-1].encode(),
    "base64 0": lambda text: base64.b64encode(b"abc" + text.encode() + b"de"),
    "base64 1": lambda text: base64.b64encode(b"abcd" + text.encode() + b"de"),
    "base64 2": lambda text: base64.b64encode(b"abcde" + text.encode() + b"de"),
    "base64 url": lambda text: base64.urlsafe_b64encode(b"?>" + text.encode()),
    "base64 of gbk": lambda text: base64.b64encode(text.encode("gbk")),
}


def searching(*needles: Needle | Embedding) -> Search:
    return Search([*patterns_of(needles), *picture_marks()], embedding_looks())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", PEOPLE)
def test_a_planted_needle_is_found_in_every_form(kind: Kind, form: str) -> None:
    search = searching(*(Needle(each, text) for each, text in PEOPLE.items()))
    planted = os.urandom(5000) + FORMS[form](PEOPLE[kind]) + os.urandom(5000)
    assert any(label.startswith(kind) for label in search.count([planted]))


@pytest.mark.parametrize("written", ["139 0000 0001", "139-0000-0001", "+8613900000001"])
def test_a_phone_is_found_as_people_write_it(written: str) -> None:
    assert searching(Needle(Kind.PHONE, "13900000001")).count([written.encode()])


def test_others_data_and_noise_are_not_found() -> None:
    search = searching(*(Needle(each, text) for each, text in PEOPLE.items()))
    others = "样本乙 110101198001010015 上海市黄浦区样本路 2 号 13900000002".encode()
    assert search.count([others, os.urandom(4 * PIECE), bytes(PIECE), b">" * PIECE]) == Counter()


def test_what_lies_across_pieces_is_found_once() -> None:
    search = Search([Pattern(b"needle", "it")])
    for start in (PIECE - 3, PIECE, PIECE + OVERLAP - 2, 2 * PIECE + 1):
        data = bytes(start) + b"needle" + bytes(3 * PIECE)
        pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
        assert search.count(pieces) == Counter({"it": 1})


def test_short_forms_that_stand_by_chance_are_left_out() -> None:
    assert all(len(pattern.wanted) >= 6 for pattern in patterns_of([Needle(Kind.NAME, "样本")]))
    assert searching(Needle(Kind.NAME, "样本")).count(["样本".encode()])


PICTURES = {
    "JPEG": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01",
    "JPEG of a camera": b"\xff\xd8\xff\xe1\x12\x34Exif\x00\x00",
    "JPEG of OpenCV": b"\xff\xd8\xff\xdb\x00\x43\x00",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "WebP": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
    "WebM": b"\x1a\x45\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1f\x42\x86\x81\x01\x42\x82\x84webm",
    "MP4": b"\x00\x00\x00\x20ftypisom",
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_known_by_their_beginning(name: str) -> None:
    search = searching()
    assert search.count([os.urandom(999) + PICTURES[name] + os.urandom(999)])
    if name != "MP4":
        assert search.count([b'{"a": "' + base64.b64encode(PICTURES[name] + bytes(90)) + b'"}'])


def test_three_bytes_are_a_picture_only_where_a_file_begins() -> None:
    assert searching().count([b"\xff\xd8\xff\x00"]) == Counter({"JPEG": 1})
    assert searching().count([b"x\xff\xd8\xff\x00"]) == Counter()


def unit(numbers: int) -> np.ndarray:
    drawn = random.Random(numbers)
    vector = np.array([drawn.gauss(0, 1) for _ in range(numbers)])
    return np.asarray(vector / np.linalg.norm(vector))


@pytest.mark.parametrize("numbers", [128, 512])
@pytest.mark.parametrize("form", ["<f4", "<f8", "json", "json of singles"])
@pytest.mark.parametrize("offset", [0, 1, 2, 3, 5])
def test_anybodys_embedding_is_known_by_its_form(numbers: int, form: str, offset: int) -> None:
    vector = unit(numbers)
    singles = [float(each) for each in vector.astype("<f4")]
    written = {
        "json": lambda: json.dumps(vector.tolist()).encode(),
        "json of singles": lambda: json.dumps(singles).encode(),
    }.get(form, lambda: vector.astype(form).tobytes())()
    found = searching().count([os.urandom(offset) + written + os.urandom(64)])
    assert any(label.startswith("embedding-like") for label in found)


@pytest.mark.parametrize("form", ["<f4", "<f8", "<f2", "json", "hex", "base64"])
def test_a_known_embedding_is_found_even_in_part(form: str) -> None:
    vector = unit(128).astype("<f4").astype(float)
    few = vector[:12].astype("<f4").tobytes()
    written = {
        "json": lambda: json.dumps(vector[:6].tolist()).encode(),
        "hex": lambda: few.hex().encode(),
        "base64": lambda: base64.b64encode(b"1" + few),
    }.get(form, lambda: vector[:12].astype(form).tobytes())()
    found = searching(Embedding(vector.tolist())).count([b"..." + written + b"..."])
    assert any(label.startswith("embedding ") for label in found)


def test_numbers_that_are_no_face_are_not_taken_for_one() -> None:
    counts = np.arange(1000, dtype="<f4").tobytes()
    falling = np.linspace(0.9, 0.1, 500, dtype="<f4").tobytes()
    text = ("一个很长的故事。" * 500 + "0123456789 <<<>>> ;;;" * 500).encode()
    assert searching().count([counts, falling, text]) == Counter()
