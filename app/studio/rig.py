"""The mesh of a portrait: MediaPipe's face, rings around it that take hair and neck along, teeth.

Vertices are in the canonical frame of `portraits`; z in the same pixels, negative towards the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.studio.pixels import Image, solid
from app.studio.portraits import CANVAS, Portrait, sit
from media.faces import Face, Pose, head_pose, open_finder, tesselation

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

FACE_POINTS = 468
# Points of MediaPipe's mesh, each list from the person's right to the person's left.
UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
LID_FOLDS = ((247, 30, 29, 27, 28, 56, 190), (414, 286, 258, 257, 259, 260, 467))
UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
OUTER_LOWER_LIP = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
CHIN = 152

# Rings around the oval: distance from its middle, share of the head's motion, and how far behind the oval.
# The first figure is for crown and sides, the second for the neck.
_RING_REACH = ((1.2, 1.08), (1.6, 1.25), (2.2, 1.5), (3.0, 2.0))
_RING_FOLLOWS = ((1.0, 0.62), (0.85, 0.32), (0.38, 0.1), (0.0, 0.0))
_RING_BEHIND = (15.0, 45.0, 80.0, 110.0)


class NoFace(RuntimeError):
    """No face was found in the portrait."""


@dataclass(frozen=True, eq=False, repr=False)
class Rig:
    """What the head is drawn from; n vertices, m triangles.

    at: (n, 3) where each vertex is in the portrait. texture_at: (n, 2) what is painted there, in pixels of
    `texture` (1200, 960, 4) BGR and alpha. follows: (n,) share of the head's motion. triangles: (m, 3).
    teeth: vertices of their lower edge, as many as `LOWER_LIP`.
    pivot: (3,) where the neck bears the head. rest: the head's pose in the portrait that is taken back.
    """

    at: Floats
    texture_at: Floats
    texture: Image
    follows: Floats
    triangles: Ints
    teeth: Ints
    width: float
    pivot: Floats
    rest: Pose


@lru_cache(maxsize=8)
def rig_of(portrait: Portrait) -> Rig:
    """The rig of `portrait`, found once. Raises `NoFace`."""
    sitter = sit(portrait)
    finder = open_finder()
    try:
        faces = finder.find(sitter.before(solid(CANVAS, (205, 205, 205))))
    finally:
        finder.close()
    if not faces:
        raise NoFace
    texture = np.dstack([sitter.bgr, sitter.alpha])
    return _rig(faces[0], texture, portrait.straightened)


def _rig(face: Face, texture: Image, straightened: float) -> Rig:
    skin = face.points[:FACE_POINTS].astype(np.float32)
    rings, follows = _rings(skin)
    teeth = skin[list(LOWER_LIP)]
    first_teeth = FACE_POINTS + len(rings)
    at = np.concatenate([skin, rings, teeth]).astype(np.float32)
    teeth_row = tuple(range(first_teeth, len(at)))
    triangles = [
        _ring_triangles(),
        tesselation(),
        *(_strip(upper, lower) for upper, lower in zip(UPPER_LIDS, LOWER_LIDS, strict=True)),
        _strip(UPPER_LIP, teeth_row),
    ]
    x0, y0, x1, y1 = face.box
    width = x1 - x0
    return Rig(
        at=at,
        texture_at=np.ascontiguousarray(at[:, :2]),
        texture=texture,
        follows=np.concatenate([np.ones(FACE_POINTS), follows, np.ones(len(teeth))]).astype(np.float32),
        triangles=np.concatenate(triangles).astype(np.int32),
        teeth=np.array(teeth_row, np.int32),
        width=width,
        pivot=np.array([(x0 + x1) / 2, y0 + 0.6 * (y1 - y0), 0.5 * width], np.float32),
        rest=_rest(face, straightened),
    )


def _rest(face: Face, share: float) -> Pose:
    """`share` of the portrait's own pose, measured with the face in the middle of the picture."""
    width, height = CANVAS
    x, y = face.centre
    pose = head_pose(face.moved(width / 2 - x, height / 2 - y), width, height)
    return Pose(pose.yaw * share, pose.pitch * share, pose.roll * share)


def _rings(skin: Floats) -> tuple[Floats, Floats]:
    oval = skin[list(OVAL)]
    middle = (oval.min(0) + oval.max(0)) / 2
    outward = oval[:, :2] - middle[:2]
    direction = outward[:, 1] / np.linalg.norm(outward, axis=1)
    neck = np.clip((direction - 0.35) / 0.5, 0, 1)
    rings, follows = [], []
    for reach, follow, behind in zip(_RING_REACH, _RING_FOLLOWS, _RING_BEHIND, strict=True):
        scale = reach[0] * (1 - neck) + reach[1] * neck
        ring = np.column_stack([middle[:2] + outward * scale[:, None], oval[:, 2] + behind])
        rings.append(ring)
        follows.append(follow[0] * (1 - neck) + follow[1] * neck)
    return np.concatenate(rings).astype(np.float32), np.concatenate(follows).astype(np.float32)


def _ring_triangles() -> Ints:
    """Outermost first, so that nearer ones are painted over them."""
    loops = [np.array(OVAL)]
    loops += [FACE_POINTS + k * len(OVAL) + np.arange(len(OVAL)) for k in range(len(_RING_REACH))]
    parts = []
    for outer, inner in zip(loops[:0:-1], loops[-2::-1], strict=True):
        parts.append(_strip((*outer, outer[0]), (*inner, inner[0])))
    return np.concatenate(parts)


def _strip(one: tuple[int, ...], other: tuple[int, ...]) -> Ints:
    """Triangles between two rows of vertices of equal length."""
    found = []
    for a, b, c, d in zip(one, one[1:], other, other[1:], strict=False):
        found += [(a, b, c), (b, d, c)]
    return np.array([each for each in found if len(set(each)) == 3], np.int32)
