"""A living head from one portrait: the rig turned in space, its face moved, and drawn by an inverse map."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from app.studio.pixels import Image
from app.studio.portraits import Portrait
from app.studio.rig import (
    FACE_POINTS,
    LID_FOLDS,
    LOWER_LIDS,
    LOWER_LIP,
    OUTER_LOWER_LIP,
    UPPER_LIDS,
    UPPER_LIP,
    Floats,
    Rig,
    rig_of,
)

_CAMERA_DISTANCE = 5.0
"""Face widths from the camera to the face: an arm's length."""
_MAP_STEP = 2
"""The map is computed for one pixel in two and enlarged."""
_SUBPIXEL_BITS = 4
_JAW_DROP = 0.22
"""Face widths that the lower lip sinks at mouth = 1."""
_LID_REACH = 1.0
_LOWER_LID_RISE = 0.1
_FOLD_REACH = 1.0
_SMALLEST_AREA = 1.0
_TEETH_SHOWN = 0.3
_THROAT_BGR = (34, 26, 62)


@dataclass(frozen=True)
class Look:
    """How the head is held. yaw > 0: to the person's own left; pitch > 0: up; roll > 0: towards the person's
    own left shoulder; degrees. blink and mouth: 0 as in the portrait, 1 shut and wide open."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    blink: float = 0.0
    mouth: float = 0.0


LOOKING_AHEAD = Look()


@dataclass(frozen=True)
class Framing:
    """Where the canonical frame lies in the picture: scale, and the picture's pixel under canonical `at`."""

    scale: float
    at: tuple[float, float]
    to: tuple[float, float]

    def place(self, points: Floats) -> Floats:
        """(n, 2) canonical → (n, 2) pixels."""
        return np.asarray((points - np.array(self.at)) * self.scale + np.array(self.to), np.float32)


class Head:
    """Draws one person. Not shared between threads."""

    def __init__(self, portrait: Portrait) -> None:
        self._rig = rig_of(portrait)
        self._jaw = _jaw_weights(self._rig)

    def draw(self, look: Look, framing: Framing, size: tuple[int, int]) -> tuple[Image, Image]:
        """The person as BGR (H, W, 3) and mask (H, W) in a picture of `size` (width, height)."""
        shape = self._turned(self._moved(look), look)
        map_x, map_y = _inverse_map(self._rig, shape, framing, size)
        drawn = cv2.remap(
            self._rig.texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
        )
        bgr = np.ascontiguousarray(drawn[..., :3], np.uint8)
        if look.mouth > 0:
            _open_throat(bgr, framing.place(shape[:, :2]), self._rig)
        return bgr, np.asarray(drawn[..., 3], np.uint8)

    def _moved(self, look: Look) -> Floats:
        """Vertices after blink and mouth, in the portrait's pose."""
        rig = self._rig
        at = rig.at.copy()
        if look.blink > 0:
            for upper, lower, fold in zip(UPPER_LIDS, LOWER_LIDS, LID_FOLDS, strict=True):
                fall = rig.at[list(lower)] - rig.at[list(upper)]
                at[list(upper)] += look.blink * _LID_REACH * fall
                at[list(lower)] -= look.blink * _LOWER_LID_RISE * fall
                at[list(fold)] += look.blink * _FOLD_REACH * fall[1:-1]
        if look.mouth > 0:
            drop = look.mouth * _JAW_DROP * rig.width
            at[:, 1] += drop * self._jaw
        return at

    def _turned(self, at: Floats, look: Look) -> Floats:
        """(n, 3): x and y as the camera sees the turned head, z its depth."""
        rig = self._rig
        distance = np.float32(_CAMERA_DISTANCE * rig.width)
        still = at - rig.pivot
        near = (distance + still[:, 2:]) / distance
        solid = np.column_stack([still[:, :2] * near, still[:, 2]])
        rotation = _rotation(look.yaw - rig.rest.yaw, look.pitch - rig.rest.pitch, look.roll - rig.rest.roll)
        turned = solid @ rotation.T
        turned[:, :2] *= distance / (distance + turned[:, 2:])
        follows = rig.follows[:, None]
        return np.asarray(rig.pivot + still * (1 - follows) + turned * follows, np.float32)


def _open_throat(bgr: Image, placed: Floats, rig: Rig) -> None:
    """Darkness between the upper teeth and the lowered lip, drawn in place."""
    upper = placed[list(UPPER_LIP)]
    teeth = upper + (placed[rig.teeth] - upper) * _TEETH_SHOWN
    opening = np.concatenate([teeth, placed[list(LOWER_LIP)][::-1]])
    fixed = np.round(opening * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(bgr, [fixed], _THROAT_BGR, cv2.LINE_AA, _SUBPIXEL_BITS)


def _rotation(yaw: float, pitch: float, roll: float) -> Floats:
    """Of vertices with x to the right of the picture, y down and z away from the camera."""
    y, p, r = np.deg2rad([yaw, pitch, roll])
    turn = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return np.asarray(turn @ nod @ tilt, np.float32)


def _jaw_weights(rig: Rig) -> Floats:
    """Share of the jaw's drop for each vertex: all of it at the lower lip, fading to cheeks and ears."""
    weights = np.zeros(len(rig.at), np.float32)
    skin = rig.at[:FACE_POINTS]
    left, right = skin[LOWER_LIP[0]], skin[LOWER_LIP[-1]]
    middle, mouth_width = (left + right) / 2, float(np.linalg.norm(right - left))
    below = (skin[:, 1] - middle[1]) / mouth_width
    aside = np.abs(skin[:, 0] - middle[0]) / mouth_width
    ramp = np.clip((below - 0.12) / 0.25, 0, 1)
    weights[:FACE_POINTS] = ramp * np.exp(-((aside / 1.15) ** 4)) * 0.9
    along = np.abs(np.sin(np.linspace(0, np.pi, len(LOWER_LIP), dtype=np.float32)))
    weights[list(LOWER_LIP)] = along**0.7
    weights[list(OUTER_LOWER_LIP)] = np.maximum(weights[list(OUTER_LOWER_LIP)], 0.96 * along**0.7)
    weights[list(UPPER_LIP[1:-1])] = -0.06 * along[1:-1]
    return weights


def _inverse_map(rig: Rig, shape: Floats, framing: Framing, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """For each pixel of the picture, where in the texture its colour comes from: two (H, W) float32."""
    placed = framing.place(shape[:, :2])
    corners = placed[rig.triangles]
    affine, visible = _texture_affines(corners, rig.texture_at[rig.triangles])
    depth = shape[rig.triangles, 2].mean(1)
    depth[: _ring_count(rig)] += 10_000
    order = np.argsort(-depth, kind="stable")
    order = order[visible[order]]
    grid_x, grid_y = _grid(size)
    which = np.zeros(grid_x.shape, np.int32)
    fixed = np.round((corners - (_MAP_STEP - 1) / 2) / _MAP_STEP * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    for triangle in order.tolist():
        cv2.fillConvexPoly(which, fixed[triangle], triangle + 1, cv2.LINE_8, _SUBPIXEL_BITS)
    still = _still_affine(framing)
    table = np.concatenate([still[None], affine]).astype(np.float32)
    ax, bx, cx, ay, by, cy = (np.take(column, which) for column in np.ascontiguousarray(table.T))
    map_x = ax * grid_x + bx * grid_y + cx
    map_y = ay * grid_x + by * grid_y + cy
    return (
        np.asarray(cv2.resize(map_x, size, interpolation=cv2.INTER_LINEAR), np.float32),
        np.asarray(cv2.resize(map_y, size, interpolation=cv2.INTER_LINEAR), np.float32),
    )


def _texture_affines(corners: Floats, texture: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Per triangle (m, 6) picture → texture, and whether it is turned towards the camera and wide enough."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    visible = np.abs(area) > _SMALLEST_AREA
    area = np.where(visible, area, 1.0)
    p, q = texture[:, 1] - texture[:, 0], texture[:, 2] - texture[:, 0]
    a = (p * two[:, 1:] - q * one[:, 1:]) / area[:, None]
    b = (q * one[:, :1] - p * two[:, :1]) / area[:, None]
    c = texture[:, 0] - a * corners[:, 0, :1] - b * corners[:, 0, 1:]
    return np.stack([a[:, 0], b[:, 0], c[:, 0], a[:, 1], b[:, 1], c[:, 1]], 1).astype(np.float32), visible


def _still_affine(framing: Framing) -> Floats:
    scale = 1 / framing.scale
    x, y = (at - to * scale for at, to in zip(framing.at, framing.to, strict=True))
    return np.array([scale, 0, x, 0, scale, y], np.float32)


def _ring_count(rig: Rig) -> int:
    """Triangles of the rings come first and are painted first."""
    return int(np.argmax((rig.triangles < FACE_POINTS).all(1)))


@lru_cache(maxsize=4)
def _grid(size: tuple[int, int]) -> tuple[Floats, Floats]:
    """Centres, in pixels of the picture, of the map's coarser pixels."""
    middle = (_MAP_STEP - 1) / 2
    x = np.arange(0, size[0], _MAP_STEP, dtype=np.float32) + np.float32(middle)
    y = np.arange(0, size[1], _MAP_STEP, dtype=np.float32) + np.float32(middle)
    grid_x, grid_y = np.meshgrid(x, y)
    return np.asarray(grid_x, np.float32), np.asarray(grid_y, np.float32)
