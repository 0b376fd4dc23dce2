"""Fictional applicants: names, addresses and resident numbers that nobody has.

The number is formed by GB 11643 and passes every check, but its sequence code lies in 996-999, which were
kept for people of a hundred years and more; nobody of the birth years used here can hold it. Streets are
called 样本路 (specimen road) and the like.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from app.studio.portraits import Sex

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN: dict[Sex, str] = {
    "male": "伟强磊军勇杰涛明超平刚辉鹏华飞",
    "female": "芳娜敏静丽艳娟霞秀燕玲梅莉兰云",
}
_MIDDLE = "文志小晓建国海春佳思子永立玉雨"
_ETHNICITIES = ("汉", "汉", "汉", "汉", "壮", "回", "满", "苗", "彝", "土家", "维吾尔")
_STREETS = ("样本路", "示例街", "虚构路", "试验大道", "样张巷")
RARE_NAME = "龢翀"
"""A given name of rare characters."""


@dataclass(frozen=True)
class _Place:
    code: str
    province: str
    city: str
    district: str


_PLACES = (
    _Place("330106", "浙江省", "杭州市", "西湖区"),
    _Place("320102", "江苏省", "南京市", "玄武区"),
    _Place("420106", "湖北省", "武汉市", "武昌区"),
    _Place("530102", "云南省", "昆明市", "五华区"),
    _Place("610113", "陕西省", "西安市", "雁塔区"),
    _Place("440104", "广东省", "广州市", "越秀区"),
    _Place("620102", "甘肃省", "兰州市", "城关区"),
    _Place("230103", "黑龙江省", "哈尔滨市", "南岗区"),
    _Place("450102", "广西壮族自治区", "南宁市", "兴宁区"),
)


class Flaw(StrEnum):
    """What can be wrong with an applicant's document."""

    MINOR = "minor"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_CHECKSUM = "wrong_checksum"
    SEX_DISAGREES = "sex_disagrees"
    BIRTH_DISAGREES = "birth_disagrees"
    RARE_NAME = "rare_name"


@dataclass(frozen=True, repr=False)
class Applicant:
    """What is printed on a resident identity card. valid_until None means 长期 (no end)."""

    seed: int
    name: str
    sex: Sex
    ethnicity: str
    born: date
    address: str
    number: str
    authority: str
    valid_from: date
    valid_until: date | None
    flaws: frozenset[Flaw] = frozenset()

    @property
    def validity(self) -> str:
        """As printed: YYYY.MM.DD-YYYY.MM.DD."""
        end = "长期" if self.valid_until is None else f"{self.valid_until:%Y.%m.%d}"
        return f"{self.valid_from:%Y.%m.%d}-{end}"

    @property
    def sex_printed(self) -> str:
        return "男" if self.sex == "male" else "女"


def check_character(digits: str) -> str:
    """Check character of the first 17 digits of a resident number (ISO 7064 MOD 11-2, GB 11643)."""
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(digits))
    return "10X98765432"[total % 11]


def fictional(
    seed: int, sex: Sex | None = None, flaws: Collection[Flaw] = (), today: date | None = None
) -> Applicant:
    """The applicant of `seed`: the same arguments give the same person.

    sex: chosen by the seed where None. today: what the validity is reckoned from, default now (UTC).
    """
    rng = random.Random(seed)
    today = today or datetime.now(UTC).date()
    drawn: Sex = "male" if rng.random() < 0.5 else "female"
    sex = sex or drawn
    given = (rng.choice(_MIDDLE) if rng.random() < 0.7 else "") + rng.choice(_GIVEN[sex])
    surname = rng.choice(_SURNAMES)
    place = rng.choice(_PLACES)
    born = date(rng.randint(1984, 2002), rng.randint(1, 12), rng.randint(1, 28))
    street = rng.choice(_STREETS)
    address = f"{place.province}{place.city}{place.district}{street}{rng.randint(2, 398)}号"
    address += f"{rng.randint(1, 19)}幢{rng.randint(1, 6)}单元{rng.randint(2, 28)}0{rng.randint(1, 4)}室"
    ethnicity = rng.choice(_ETHNICITIES)
    if Flaw.MINOR in flaws:
        born = born.replace(year=today.year - 15)
    valid_from, valid_until = _validity(born, today, flaws, rng)
    return Applicant(
        seed=seed,
        name=surname + (RARE_NAME if Flaw.RARE_NAME in flaws else given),
        sex=sex,
        ethnicity=ethnicity,
        born=born,
        address=address,
        number=_number(place, born, sex, flaws, rng),
        authority=f"{place.city}公安局{place.district.removesuffix('区')}分局",
        valid_from=valid_from,
        valid_until=valid_until,
        flaws=frozenset(flaws),
    )


def _validity(
    born: date, today: date, flaws: Collection[Flaw], rng: random.Random
) -> tuple[date, date | None]:
    """Resident Identity Card Law, art. 5: 5 years below 16, 10 to 25, 20 to 45, then without end."""
    issued = date(today.year - rng.randint(1, 3), rng.randint(1, 12), rng.randint(1, 28))
    if Flaw.EXPIRED in flaws:
        issued = issued.replace(year=today.year - 21)
    if Flaw.NOT_YET_VALID in flaws:
        issued = issued.replace(year=today.year + 1)
    age = issued.year - born.year - ((issued.month, issued.day) < (born.month, born.day))
    years = 5 if age < 16 else 10 if age < 26 else 20
    if age >= 46 and Flaw.EXPIRED not in flaws:
        return issued, None
    return issued, issued.replace(year=issued.year + years)


def _number(place: _Place, born: date, sex: Sex, flaws: Collection[Flaw], rng: random.Random) -> str:
    if Flaw.BIRTH_DISAGREES in flaws:
        born = born.replace(year=born.year - 1)
    odd = (sex == "male") != (Flaw.SEX_DISAGREES in flaws)
    sequence = rng.choice(("997", "999") if odd else ("996", "998"))
    digits = f"{place.code}{born:%Y%m%d}{sequence}"
    check = check_character(digits)
    if Flaw.WRONG_CHECKSUM in flaws:
        check = str((("0123456789X".index(check)) + 3) % 10)
    return digits + check
