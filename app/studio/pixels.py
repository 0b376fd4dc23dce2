"""Pictures as arrays: (H, W, 3) uint8 BGR, and the few operations that every drawing of the studio uses."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Quad = NDArray[np.float32]
"""(4, 2) pixels: top left, top right, bottom right, bottom left."""

JPEG_QUALITY = 92
CARD_ROUNDING = 3.18 / 85.6


def solid(size: tuple[int, int], bgr: tuple[int, int, int]) -> Image:
    """A picture of `size` (width, height) in one colour."""
    return np.full((size[1], size[0], 3), bgr, np.uint8)


def quad(width: float, height: float) -> Quad:
    """Corners of a picture of this size."""
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def add_noise(bgr: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Sensor noise of `sigma` grey levels."""
    noise = np.empty(bgr.shape, np.int16)
    noise[:] = np.round(rng.standard_normal(bgr.shape, np.float32) * sigma)
    return cast(Image, np.clip(bgr + noise, 0, 255).astype(np.uint8))


def relight(bgr: Image, gain: NDArray[np.float32]) -> Image:
    """`bgr` times `gain` (H, W), clipped."""
    return cast(Image, np.clip(bgr * gain[..., None], 0, 255).astype(np.uint8))


def paste(
    scene: Image, picture: Image, corners: Quad, shadow: float = 0.0, rounding: float = CARD_ROUNDING
) -> None:
    """Draw `picture` into `scene` in place, in perspective, with its corners at `corners`.

    shadow: darkness (0 to 1) of the soft shadow that the picture throws. rounding: radius of its corners over
    its width (0: square).
    """
    height, width = scene.shape[:2]
    picture = _reduced(picture, corners)
    size = (picture.shape[1], picture.shape[0])
    matrix = cv2.getPerspectiveTransform(quad(*size), corners.astype(np.float32))
    shape = _rounded(size, rounding)
    if shadow:
        mask = cv2.warpPerspective(shape, matrix, (width, height), flags=cv2.INTER_LINEAR)
        _throw_shadow(scene, np.asarray(mask, np.uint8), shadow)
    x, y, w, h = cv2.boundingRect(np.round(corners).astype(np.int32))
    x, y, right, bottom = max(0, x - 1), max(0, y - 1), min(width, x + w + 1), min(height, y + h + 1)
    if right <= x or bottom <= y:
        return
    part_size = (right - x, bottom - y)
    placed = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]], np.float64) @ matrix
    warped = cv2.warpPerspective(
        picture, placed, part_size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    mask = cv2.warpPerspective(shape, placed, part_size, flags=cv2.INTER_LINEAR)
    blend(scene[y:bottom, x:right], np.asarray(warped, np.uint8), np.asarray(mask, np.uint8))


def blend(scene: Image, picture: Image, mask: Image) -> None:
    """Draw `picture` into `scene` in place where `mask` (H, W) is 255; between 0 and 255 both show."""
    weight = mask[..., None].astype(np.uint16)
    mixed = picture * weight + scene * (255 - weight) + 127
    scene[:] = (mixed // 255).astype(np.uint8)


def _rounded(size: tuple[int, int], rounding: float) -> Image:
    """Mask of a card: 255 inside, with round corners."""
    width, height = size
    if rounding <= 0:
        return np.full((height, width), 255, np.uint8)
    mask = np.zeros((height, width), np.uint8)
    radius = max(1, round(width * rounding))
    cv2.rectangle(mask, (radius, 0), (width - 1 - radius, height - 1), 255, -1)
    cv2.rectangle(mask, (0, radius), (width - 1, height - 1 - radius), 255, -1)
    for x in (radius, width - 1 - radius):
        for y in (radius, height - 1 - radius):
            cv2.circle(mask, (x, y), radius, 255, -1, cv2.LINE_AA)
    return mask


def _throw_shadow(scene: Image, mask: Image, darkness: float) -> None:
    reach = max(3, scene.shape[1] // 60) | 1
    below = np.zeros_like(mask)
    below[reach // 2 :, reach // 2 :] = mask[: -(reach // 2), : -(reach // 2)]
    soft = cv2.GaussianBlur(below, (reach, reach), 0).astype(np.float32)
    scene[:] = relight(scene, np.asarray(1 - np.float32(darkness / 255) * soft, np.float32))


def _reduced(picture: Image, corners: Quad) -> Image:
    """`picture` made smaller by area first, so that the warp does not alias."""
    drawn = float(max(np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[3])))
    factor = drawn / picture.shape[1]
    if factor > 0.8:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def to_jpeg(bgr: Image, quality: int = JPEG_QUALITY) -> bytes:
    """`bgr` as JPEG."""
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the picture cannot be encoded")
    return bytes(data.tobytes())
