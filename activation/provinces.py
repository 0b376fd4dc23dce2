"""Province-level divisions of China (GB/T 2260), by the short name under which holds and counts go."""

from __future__ import annotations

import unicodedata

#: Short name → full name.
PROVINCES: dict[str, str] = {
    "北京": "北京市",
    "天津": "天津市",
    "河北": "河北省",
    "山西": "山西省",
    "内蒙古": "内蒙古自治区",
    "辽宁": "辽宁省",
    "吉林": "吉林省",
    "黑龙江": "黑龙江省",
    "上海": "上海市",
    "江苏": "江苏省",
    "浙江": "浙江省",
    "安徽": "安徽省",
    "福建": "福建省",
    "江西": "江西省",
    "山东": "山东省",
    "河南": "河南省",
    "湖北": "湖北省",
    "湖南": "湖南省",
    "广东": "广东省",
    "广西": "广西壮族自治区",
    "海南": "海南省",
    "重庆": "重庆市",
    "四川": "四川省",
    "贵州": "贵州省",
    "云南": "云南省",
    "西藏": "西藏自治区",
    "陕西": "陕西省",
    "甘肃": "甘肃省",
    "青海": "青海省",
    "宁夏": "宁夏回族自治区",
    "新疆": "新疆维吾尔自治区",
    "台湾": "台湾省",
    "香港": "香港特别行政区",
    "澳门": "澳门特别行政区",
}


def province_of(region: str, address: str = "") -> str:
    """Short name of the province that a parcel goes to; empty where neither text says.

    An address that begins with a province's full name wins: that is where the parcel goes. Short names
    are looked for in `region` only, because streets are called after provinces.
    """
    there = _plain(address)
    for short, full in PROVINCES.items():
        if there.startswith(full):
            return short
    chosen = _plain(region)
    return next((short for short in PROVINCES if chosen.startswith(short)), "")


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).removeprefix("中国")
