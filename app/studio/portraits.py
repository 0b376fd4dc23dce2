"""Portraits of people from photographs that come with installed packages; nothing is committed.

Every portrait is brought to one canonical frame, so that the rest of the studio needs no face finder to place
it: 960 × 1200 pixels, eyes level with their midpoint at (480, 400), 182 pixels from the eyes to the chin.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.studio.pixels import Image, solid

CANVAS = (960, 1200)
EYES = (480.0, 400.0)
EYES_TO_CHIN = 182.0
ID_CROP = (236, 130, 724, 732)
"""x0, y0, x1, y1 of the ID portrait in the canonical frame; 26 × 32 mm on the card."""
_COLLAR_ENDS = (600, 720)
_CHEEK = (410, 430, 440, 460)

Sex = Literal["male", "female"]
Points = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Portrait:
    """Where a photograph lies and how the person sits in it.

    right_eye, left_eye (the person's own), chin: pixels of the photograph. outline: the person's contour
    in the canonical frame. straightened: share of the photographed tilt of the head that a living head takes
    back. nod_up: degrees of a nod that shows as one. garment: a drawn torso where the photograph's own
    cannot be used, with its BGR.
    """

    name: str
    sex: Sex
    package: str
    path: str
    right_eye: tuple[float, float]
    left_eye: tuple[float, float]
    chin: tuple[float, float]
    outline: Points
    bareheaded: bool = True
    straightened: float = 0.9
    nod_up: float = 18.0
    garment: Points = ()
    garment_bgr: tuple[int, int, int] = field(default=(100, 98, 96))


PILOT = Portrait(
    name="pilot",
    sex="female",
    package="skimage",
    path="data/astronaut.png",
    right_eye=(204.7, 102.3),
    left_eye=(246.6, 104.9),
    chin=(222.1, 177.3),
    outline=(
        *((300, 330), (306, 290), (345, 258), (380, 238), (400, 207), (440, 190), (490, 184), (550, 195)),
        *((600, 217), (638, 265), (658, 310), (660, 360), (648, 408), (618, 448), (604, 468), (589, 476)),
        *((582, 510), (568, 562), (600, 577), (650, 622), (688, 690), (696, 715), (760, 745), (800, 800)),
        *((830, 890), (880, 1200), (20, 1200), (62, 880), (112, 800), (182, 712), (225, 678), (235, 642)),
        *((220, 625), (242, 590), (272, 547), (320, 524), (386, 520), (379, 474), (360, 463), (347, 440)),
        *((322, 418), (307, 380)),
    ),
)

GAMBLER = Portrait(
    name="gambler",
    sex="male",
    package="insightface",
    path="data/images/t1.jpg",
    right_eye=(493.4, 321.7),
    left_eye=(538.3, 333.7),
    chin=(498.3, 413.9),
    outline=(
        *((347, 290), (352, 242), (392, 197), (440, 181), (510, 170), (550, 168), (590, 192), (628, 237)),
        *((638, 300), (631, 350), (631, 392), (618, 430), (602, 452), (590, 488), (588, 514), (640, 547)),
        *((665, 577), (690, 642), (730, 738), (610, 850), (552, 798), (470, 790), (410, 860), (300, 900)),
        *((222, 830), (202, 690), (216, 640), (260, 602), (322, 568), (338, 520), (366, 470), (376, 444)),
        *((366, 400), (360, 350)),
    ),
    garment=(
        *((216, 640), (330, 570), (480, 600), (590, 516), (665, 580), (760, 650), (812, 760), (850, 1200)),
        *((105, 1200), (150, 760)),
    ),
    straightened=0.4,
    nod_up=27.0,
)

ADMIRAL = Portrait(
    name="admiral",
    sex="female",
    package="matplotlib",
    path="mpl-data/sample_data/grace_hopper.jpg",
    right_eye=(222.9, 194.3),
    left_eye=(306.6, 190.0),
    chin=(271.9, 335.1),
    outline=(
        *((341, 370), (337, 330), (347, 295), (372, 265), (377, 236), (400, 214), (430, 207), (442, 192)),
        *((490, 185), (530, 197), (540, 212), (580, 237), (597, 274), (616, 277), (618, 320), (617, 370)),
        *((620, 400), (608, 450), (598, 490), (596, 530), (570, 549), (560, 569), (600, 602), (700, 642)),
        *((753, 670), (772, 735), (768, 1200), (120, 1200), (150, 800), (166, 702), (206, 622), (300, 602)),
        *((360, 577), (388, 552), (385, 528), (352, 510), (345, 470), (342, 430)),
    ),
    bareheaded=False,
)

PORTRAITS: dict[str, Portrait] = {portrait.name: portrait for portrait in (PILOT, GAMBLER, ADMIRAL)}


class PortraitMissing(RuntimeError):
    """The package that brings the photograph is not installed, or does not bring it."""


@dataclass(frozen=True, eq=False, repr=False)
class Sitter:
    """A portrait in the canonical frame: bgr (1200, 960, 3) and alpha (1200, 960), 255 on the person."""

    portrait: Portrait
    bgr: Image
    alpha: Image

    def before(self, backdrop: Image) -> Image:
        """The person in front of `backdrop`, (1200, 960, 3) uint8."""
        weight = self.alpha[..., None].astype(np.float32) / 255
        return (self.bgr * weight + backdrop * (1 - weight)).astype(np.uint8)

    @property
    def skin(self) -> tuple[int, int, int]:
        """BGR of the cheek, for hands."""
        x0, y0, x1, y1 = _CHEEK
        blue, green, red = np.median(self.bgr[y0:y1, x0:x1].reshape(-1, 3), axis=0)
        return int(blue), int(green), int(red)

    def id_portrait(self) -> Image:
        """The picture on the person's card: (602, 488, 3) uint8 before a white ground, bare of any scene."""
        x0, y0, x1, y1 = ID_CROP
        return self.before(solid(CANVAS, (244, 242, 240)))[y0:y1, x0:x1].copy()


@lru_cache(maxsize=8)
def sit(portrait: Portrait) -> Sitter:
    """`portrait` in the canonical frame. Raises `PortraitMissing`."""
    photo = _photograph(portrait.package, portrait.path)
    matrix = _to_canonical(portrait)
    warped = cv2.warpAffine(photo, matrix, CANVAS, flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
    bgr, alpha = np.asarray(warped, np.uint8), _mask(portrait.outline)
    if portrait.garment:
        bgr, alpha = _dress(portrait, bgr, alpha)
    return Sitter(portrait, bgr, alpha)


def _photograph(package: str, path: str) -> Image:
    try:
        data = resources.files(package).joinpath(path).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise PortraitMissing(f"package {package} with {path} is needed to draw applicants") from error
    photo = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if photo is None:
        raise PortraitMissing(f"{path} of package {package} is no image")
    return np.asarray(photo, np.uint8)


def _to_canonical(portrait: Portrait) -> NDArray[np.float64]:
    right, left, chin = (np.array(p) for p in (portrait.right_eye, portrait.left_eye, portrait.chin))
    middle = (right + left) / 2
    angle = np.arctan2(left[1] - right[1], left[0] - right[0])
    scale = EYES_TO_CHIN / np.linalg.norm(chin - middle)
    rotation = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    shift = np.array(EYES) - rotation @ middle
    return np.column_stack([rotation, shift])


def _mask(outline: Points) -> Image:
    mask = np.zeros(CANVAS[::-1], np.uint8)
    cv2.fillPoly(mask, [np.array(outline, np.int32)], 255)
    return np.asarray(cv2.GaussianBlur(mask, (9, 9), 0), np.uint8)


def _dress(portrait: Portrait, bgr: Image, alpha: Image) -> tuple[Image, Image]:
    """A plain garment under head and collar, lit from above, in place of what the photograph has there."""
    noise = np.random.default_rng(7).normal(0, 5, (*CANVAS[::-1], 1)).astype(np.float32)
    light = np.linspace(1.1, 0.7, CANVAS[1], dtype=np.float32)[:, None, None]
    cloth = np.clip(np.array(portrait.garment_bgr, np.float32) * light + noise, 0, 255)
    torso = _mask(portrait.garment)
    fading = np.interp(np.arange(CANVAS[1]), _COLLAR_ENDS, (1.0, 0.0)).astype(np.float32)[:, None, None]
    weight = alpha[..., None].astype(np.float32) / 255 * fading
    return (bgr * weight + cloth * (1 - weight)).astype(np.uint8), np.maximum(alpha, torso)
