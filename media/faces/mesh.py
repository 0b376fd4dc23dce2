"""The triangles of MediaPipe's mesh, put together from the edges that it publishes."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import numpy as np
from numpy.typing import NDArray

from media.faces.mediapipe_graph import tesselation_edges


@cache
def triangles() -> NDArray[np.int32]:
    """Triangles, (n, 3) int32, all wound counter-clockwise in a picture of a face looking ahead.

    MediaPipe names each edge in the direction in which a triangle runs along it, so an inner edge stands
    twice and an outer edge once: winding starts from the outer edges and goes from neighbour to neighbour.
    """
    edges = tesselation_edges()
    after: dict[int, set[int]] = defaultdict(set)
    for start, end in edges:
        after[start].add(end)
    waiting = [(a, b) for a, b in sorted(edges) if (b, a) not in edges]
    used: set[tuple[int, int]] = set()
    found: set[tuple[int, int, int]] = set()
    while waiting:
        a, b = waiting.pop()
        if (a, b) in used:
            continue
        # A point with three neighbours lies inside of a larger triangle, which is none of the mesh.
        for c in sorted(after[b], key=lambda point: len(after[point])):
            if a in after[c] and not used & {(b, c), (c, a)}:
                found.add(_from_smallest(a, b, c))
                used |= {(a, b), (b, c), (c, a)}
                waiting += [turned for turned in ((c, b), (a, c)) if turned in edges]
                break
    return np.array(sorted(found), dtype=np.int32)


def _from_smallest(a: int, b: int, c: int) -> tuple[int, int, int]:
    if b < a and b < c:
        return b, c, a
    if c < a and c < b:
        return c, a, b
    return a, b, c
