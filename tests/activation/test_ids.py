"""Identifiers exist only in their canonical form, and their refusal repeats nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from activation.ids import CheckId, Digest, Iccid, Imsi, Msisdn, OrderId, StaffId, Waybill, luhn_check_digit
from activation.normal import normal_name, normal_number


@pytest.mark.parametrize("kind", [OrderId, CheckId, StaffId, Waybill])
def test_new_ids_are_valid_and_different(kind: type[OrderId]) -> None:
    made = {kind.new() for _ in range(100)}
    assert len(made) == 100
    assert all(kind(one) == one for one in made)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Iccid, "89860000000000000000"),
        (Iccid, "8986000000000000000"),
        (Iccid, "99860000000000000009"),
        (Imsi, "46000000000000"),
        (Imsi, "160000000000000"),
        (Imsi, "４６００００００００００００１"),
        (Msisdn, "12800000000"),
        (Msisdn, "138000000000"),
        (Msisdn, "+8613800000000"),
        (Msisdn, "13800000000\n"),
        (Digest, "A" * 64),
        (Digest, "a" * 63),
        (OrderId, "ord_" + "g" * 24),
        (OrderId, "chk_" + "a" * 24),
        (Waybill, "kk0123456789"),
    ],
)
def test_what_is_not_one_is_refused_without_showing_it(kind: type[Msisdn], value: str) -> None:
    with pytest.raises(ValueError, match=kind.__name__) as refusal:
        kind(value)
    assert value.strip() not in str(refusal.value)


@given(st.text("0123456789", min_size=16, max_size=17))
def test_one_check_digit_fits_every_iccid(digits: str) -> None:
    body = "89" + digits
    fitting = [digit for digit in "0123456789" if luhn_check_digit(body) == digit]
    assert len(fitting) == 1
    assert Iccid(body + fitting[0])
    for digit in set("0123456789") - set(fitting):
        with pytest.raises(ValueError, match="Iccid"):
            Iccid(body + digit)


def test_pydantic_checks_them_too() -> None:
    adapter = TypeAdapter(Msisdn)
    read = adapter.validate_json('"13800000000"')
    assert type(read) is Msisdn
    assert adapter.dump_json(read) == b'"13800000000"'
    for wrong in ('"1380000000"', "13800000000", "null"):
        with pytest.raises(ValidationError):
            adapter.validate_json(wrong)


@pytest.mark.parametrize(
    "spelling",
    ["买买提·艾力", "买买提•艾力", "买买提・艾力", "买买提 · 艾力", "买买提．艾力", " 买买提艾力 "],
)
def test_separators_in_names_make_no_difference(spelling: str) -> None:
    assert normal_name(spelling) == "买买提艾力"


def test_numbers_have_one_spelling() -> None:
    assert normal_number(" １１０１０５１９４９１２３１００２x ") == "11010519491231002X"
