"""Identifiers of the trade, checked on construction.

Each is a `str` that can only exist in its valid, canonical form; anything else is a `ValueError`
whose text never repeats the value, because some of them are personal data.
"""

from __future__ import annotations

import re
import secrets
from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_ID_BYTES = 12


def luhn_check_digit(digits: str) -> str:
    """Check digit of ITU-T E.118 (Luhn, ISO/IEC 7812-1 annex B) for `digits` without it."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


class _Identifier(str):
    """A string of one pattern; subclasses add what the pattern cannot say."""

    __slots__ = ()
    pattern: re.Pattern[str] = re.compile(r".+")

    def __new__(cls, value: str) -> Self:
        if not cls.pattern.fullmatch(value) or not cls.holds(value):
            raise ValueError(f"not a valid {cls.__name__}")
        return super().__new__(cls, value)

    @classmethod
    def holds(cls, value: str) -> bool:
        """What the pattern cannot express; `value` already matches the pattern."""
        return True

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A JSON string; reading one checks it as the constructor does."""
        return core_schema.no_info_after_validator_function(
            cls, core_schema.str_schema(), serialization=core_schema.to_string_ser_schema()
        )


class _RandomId(_Identifier):
    """An opaque id with 96 random bits; says nothing about whom it belongs to."""

    __slots__ = ()
    prefix = ""

    @classmethod
    def new(cls) -> Self:
        return cls(f"{cls.prefix}_{secrets.token_hex(_ID_BYTES)}")


class OrderId(_RandomId):
    __slots__ = ()
    prefix = "ord"
    pattern = re.compile(r"ord_[0-9a-f]{24}")


class CheckId(_RandomId):
    """One attempt at the video check."""

    __slots__ = ()
    prefix = "chk"
    pattern = re.compile(r"chk_[0-9a-f]{24}")


class DeliveryId(_RandomId):
    __slots__ = ()
    prefix = "dlv"
    pattern = re.compile(r"dlv_[0-9a-f]{24}")


class CaseId(_RandomId):
    """A reviewer's case."""

    __slots__ = ()
    prefix = "cas"
    pattern = re.compile(r"cas_[0-9a-f]{24}")


class HoldId(_RandomId):
    """One order to stop (R9.3)."""

    __slots__ = ()
    prefix = "hld"
    pattern = re.compile(r"hld_[0-9a-f]{24}")


class IncidentId(_RandomId):
    """A leak, damage or loss of identity data (R9.2)."""

    __slots__ = ()
    prefix = "inc"
    pattern = re.compile(r"inc_[0-9a-f]{24}")


class StaffId(_RandomId):
    __slots__ = ()
    prefix = "stf"
    pattern = re.compile(r"stf_[0-9a-f]{24}")


class Iccid(_Identifier):
    """SIM card number, ITU-T E.118: 89, 19 or 20 digits, the last one a Luhn check digit."""

    __slots__ = ()
    pattern = re.compile(r"89[0-9]{17,18}")

    @classmethod
    def holds(cls, value: str) -> bool:
        return luhn_check_digit(value[:-1]) == value[-1]


class Imsi(_Identifier):
    """Subscriber identity, ITU-T E.212: 15 digits, mobile country code first."""

    __slots__ = ()
    pattern = re.compile(r"[2-7][0-9]{14}")


class Msisdn(_Identifier):
    """A mobile number of mainland China in national form, 11 digits (1[3-9]…)."""

    __slots__ = ()
    pattern = re.compile(r"1[3-9][0-9]{9}")

    @property
    def international(self) -> str:
        """E.164 without the plus sign, as the HLR wants it."""
        return f"86{self}"


class Waybill(_Identifier):
    """A carrier's consignment number, upper case."""

    __slots__ = ()
    pattern = re.compile(r"[A-Z]{2}[0-9]{10,16}")

    @classmethod
    def new(cls) -> Self:
        return cls(f"KK{secrets.randbelow(10**12):012d}")


class Digest(_Identifier):
    """SHA-256 of an object, or a keyed hash of a personal datum, as 64 hex digits."""

    __slots__ = ()
    pattern = re.compile(r"[0-9a-f]{64}")
