"""Types that several resources take."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from activation.ids import OrderId
from app.http.contract import Input
from app.preselection.phones import MAX_LENGTH, contact_phone

#: Longest waybill or ICCID as typed, with spaces.
MAX_TYPED = 48
#: A document number or a phone in the words of staff would stand in the record for ever.
_PERSONAL = re.compile(r"[0-9０-９][0-9０-９ -]{6,}")


def _plain(text: str) -> str:
    """Refuses control characters and what no keyboard types."""
    if any(unicodedata.category(char) in ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp") for char in text):
        raise PydanticCustomError("bytes_not_text", "not plain text")
    return text


def _impersonal(text: str) -> str:
    if _PERSONAL.search(text):
        raise PydanticCustomError("holds_numbers", "no document or phone numbers here")
    return text


def _phone(written: str) -> str:
    phone = contact_phone(written)
    if phone is None:
        raise PydanticCustomError("phone", "not a mobile number of mainland China")
    return phone


PLAIN = AfterValidator(_plain)
Phone = Annotated[str, Field(min_length=5, max_length=MAX_LENGTH), AfterValidator(_phone)]
"""A mobile number as written; becomes its national form."""
OneTimeCode = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
ReasonText = Annotated[str, Field(min_length=3, max_length=500), AfterValidator(_impersonal)]
"""Why a member of staff decided as they did; becomes part of the record."""
WordsText = Annotated[str, Field(min_length=3, max_length=2_000), PLAIN, AfterValidator(_impersonal)]
"""What happened and what came of it; becomes part of a report."""
DigestText = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
OrderIdText = Annotated[OrderId, Field(json_schema_extra={"pattern": "^ord_[0-9a-f]{24}$"})]


class OrderPath(Input):
    order_id: OrderIdText


def typed(text: str) -> str:
    """A number as somebody typed or scanned it: full-width forms, spaces, hyphens and case do not matter."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(char for char in plain if char.isalnum())
