"""CSV files as people send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.csv_lines import (
    MAX_LINE_BYTES,
    MAX_LINES,
    BadLine,
    FileRefusal,
    FileRefused,
    GoodLine,
    LineReader,
    LineRefusal,
    rounded,
    split_lines,
)


def read_all(data: bytes, columns: tuple[str, ...] = ("a", "b"), required: int = 1) -> list[object]:
    reader = LineReader(columns, required)
    return [found for line in split_lines(data) if (found := reader.read(line)) is not None]


def test_lines_end_as_they_like() -> None:
    assert list(split_lines(b"one\ntwo\r\n\nthree")) == [b"one", b"two", b"", b"three"]
    assert list(split_lines(b"")) == []
    assert list(split_lines(b"x" * (MAX_LINE_BYTES + 1) + b"\nnext\n")) == [None, b"next"]


def test_without_heading_columns_come_in_the_usual_order() -> None:
    assert read_all(b"1,x\n2,y\n") == [GoodLine(1, ("1", "x")), GoodLine(2, ("2", "y"))]


def test_a_heading_may_order_them_otherwise_and_have_more() -> None:
    data = "﻿备注,B ,a\n\nfoo,x,1\n".encode()
    assert read_all(data) == [GoodLine(3, ("1", "x"))]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_of_every_spreadsheet(separator: str) -> None:
    assert read_all(f"a{separator}b\n1{separator}x".encode()) == [GoodLine(2, ("1", "x"))]


def test_quotes_apostrophes_and_spaces_are_no_part_of_a_cell() -> None:
    assert read_all(b'"1" , \'x \n') == [GoodLine(1, ("1", "x"))]


def test_gb_18030_is_read_line_by_line() -> None:
    assert read_all("a,b\n1,北京\n".encode("gb18030")) == [GoodLine(2, ("1", "北京"))]


def test_bad_lines_are_named_and_the_others_kept() -> None:
    data = b"1,x\n\xff\xff\xff\n2,y\n3,\x00\n" + b"9" * 600 + b"\n4,a,b\n5\n"
    assert read_all(data, required=2) == [
        GoodLine(1, ("1", "x")),
        BadLine(2, LineRefusal.NOT_TEXT),
        GoodLine(3, ("2", "y")),
        BadLine(4, LineRefusal.NOT_TEXT),
        BadLine(5, LineRefusal.TOO_LONG),
        BadLine(6, LineRefusal.COLUMNS),
        BadLine(7, LineRefusal.COLUMNS),
    ]


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        ("a,b\n1,2".encode("utf-16"), FileRefusal.WRONG_ENCODING),
        (b"b,c\n1,2\n", FileRefusal.HEADING),
        (b"1\n" * (MAX_LINES + 1), FileRefusal.TOO_MANY_LINES),
    ],
)
def test_files_that_are_not_read(data: bytes, refusal: FileRefusal) -> None:
    with pytest.raises(FileRefused) as refused:
        read_all(data)
    assert refused.value.refusal is refusal


@pytest.mark.parametrize(("cell", "is_rounded"), [("8.98604E+18", True), ("8986", False), ("E+", False)])
def test_spreadsheets_round_long_numbers(cell: str, is_rounded: bool) -> None:
    assert rounded(cell) is is_rounded


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        for found in read_all(data):
            assert isinstance(found, GoodLine | BadLine)
    except FileRefused:
        pass
