"""Where a parcel goes, in the words of people (GB/T 2260)."""

from __future__ import annotations

import pytest

from activation.provinces import PROVINCES, province_of


@pytest.mark.parametrize(
    ("region", "address", "province"),
    [
        ("北京", "北京市东城区样本胡同 1 号", "北京"),
        ("广东省深圳市", "样本路 1 号", "广东"),
        (" 广 东 ", "", "广东"),
        ("内蒙古自治区", "", "内蒙古"),
        ("中国黑龙江", "", "黑龙江"),
        ("新疆", "新疆维吾尔自治区乌鲁木齐市", "新疆"),
        # Where the two differ, the parcel goes where the address says.
        ("北京", "广东省深圳市样本路 1 号", "广东"),
        # Streets are called after provinces.
        ("上海", "吉林路 1 号", "上海"),
        ("", "山东路 1 号", ""),
        ("Guangdong", "Sample Road 1", ""),
        ("", "", ""),
    ],
)
def test_the_province_is_where_the_parcel_goes(region: str, address: str, province: str) -> None:
    assert province_of(region, address) == province


def test_there_are_34_and_none_begins_like_another() -> None:
    assert len(PROVINCES) == 34
    assert all(full.startswith(short) for short, full in PROVINCES.items())
    assert not [one for one in PROVINCES for other in PROVINCES if one != other and one.startswith(other)]
