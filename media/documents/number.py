"""The citizen identity number (GB 11643): 17 digits and a check character, with birth date and sex inside."""

from __future__ import annotations

import re
from datetime import date

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from media.documents.readings import Sex

NUMBER_LENGTH = 18
_NUMBER = re.compile(r"(?<!\d)\d{17}[\dX](?!\d)")
# What OCR takes for a digit; only inside a line that already looks like a number.
_LOOKALIKES = str.maketrans({"O": "0", "o": "0", "D": "0", "I": "1", "l": "1", "|": "1", "x": "X", "×": "X"})


def number_in(text: str) -> str | None:
    """The 18 characters of a number somewhere in a line of text, or None; the checksum is not looked at."""
    found = _NUMBER.search(text.replace(" ", "").translate(_LOOKALIKES))
    return found.group() if found else None


def place_in(line: str) -> slice | None:
    """Where `number_in` finds the number in a line without spaces; digits there may be read as letters."""
    found = _NUMBER.search(line.translate(_LOOKALIKES))
    return slice(*found.span()) if found else None


def is_valid(number: str) -> bool:
    """Length, checksum, birth date and place are those of a real number."""
    try:
        ric.validate(number)
    except ValidationError:
        return False
    return True


def born(number: str) -> date:
    """Birth date inside a valid number."""
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def sex(number: str) -> Sex:
    """Sex inside a valid number: an odd sequence number is a man's."""
    return Sex.MALE if int(number[16]) % 2 else Sex.FEMALE
