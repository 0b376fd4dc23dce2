"""Characters that the recogniser takes for each other because they look alike, and which a card prints.

A mainland identity card prints the standard forms (GB 18030 text in the Table of General Standard Chinese
Characters) and half-width digits. The network knows the other forms too and splits its certainty between
both; added up, it is as certain as it should be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_VARIANTS = (
    "黃黄 虛虚 別别 吳吴 呂吕 溫温 戶户 戸户 內内 產产 彥彦 靜静 淨净 橫横 奧奥 兪俞 換换 奐奂 煥焕 強强 "
    "塡填 愼慎 眞真 値值 卽即 旣既 淸清 靑青 郞郎 敎教 冊册 刪删 姍姗 柵栅 沒没 歿殁 毎每 黒黑 曽曾 増增 "
    "徳德 恵惠 歩步 巻卷 •· ・·"
)
_WIDE = 0xFEE0  # from ASCII to the full-width form

STANDARD: Mapping[str, str] = {
    **{pair[0]: pair[1] for pair in _VARIANTS.split()},
    **{chr(code + _WIDE): chr(code) for code in range(0x21, 0x7F)},
}
"""From the look-alike to the standard form."""


class TwinMerger:
    """Stands before RapidOCR's decoder and gives the standard form the look-alike's probability too."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        columns: dict[str, int] = decoder.dict
        pairs = [
            (columns[twin], columns[form])
            for twin, form in STANDARD.items()
            if twin in columns and form in columns
        ]
        self._twins = np.array([twin for twin, _ in pairs])
        self._forms = np.array([form for _, form in pairs])

    def __call__(self, probabilities: NDArray[np.float32], *args: Any, **options: Any) -> Any:
        """`probabilities` (lines, steps, characters), is changed in place; the rest is RapidOCR's."""
        characters = probabilities.reshape(-1, probabilities.shape[-1]).T
        np.add.at(characters, self._forms, characters[self._twins])
        characters[self._twins] = 0.0
        return self._decoder(probabilities, *args, **options)
