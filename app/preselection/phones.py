"""Contact phones as people write them, to the one form that the product uses."""

from __future__ import annotations

import phonenumbers
from phonenumbers import PhoneNumberType

from activation.ids import Msisdn

MAX_LENGTH = 32
_REGION, _COUNTRY = "CN", 86
_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


def contact_phone(written: str) -> Msisdn | None:
    """`+86 139 0000 0001`, `139-0000-0001`, …; None for what is no mobile number of mainland China."""
    if len(written) > MAX_LENGTH:
        return None
    try:
        number = phonenumbers.parse(written, _REGION)
        if number.country_code != _COUNTRY or not phonenumbers.is_valid_number(number):
            return None
        if phonenumbers.number_type(number) not in _MOBILE:
            return None
        return Msisdn(phonenumbers.national_significant_number(number))
    except (phonenumbers.NumberParseException, ValueError):
        return None


def phone_hint(phone: Msisdn) -> str:
    """Enough to know one's own phone by: `139****0001`."""
    return f"{phone[:3]}****{phone[-4:]}"


# The library reads its tables from files when it first needs them: now, and not inside a request.
contact_phone("13900000001")
