"""What a scan says: a table of places, and never a needle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app.compliance.privacy.scan import Place

_WIDTH = 52


def lines(places: Sequence[Place]) -> Iterator[str]:
    """The table, and one line that sums it up."""
    yield f"{'place':<{_WIDTH}} {'files':>7} {'size':>10}  found"
    for place in places:
        files = str(place.files) if place.files else ""
        yield f"{place.name:<{_WIDTH}} {files:>7} {size(place.size):>10}  {_found(place)}"
    unseen = [place.name for place in places if not place.read]
    if clean(places):
        if unseen:
            yield f"not read, so nothing is said of them: {', '.join(unseen)}"
        yield "clean: nothing of what was looked for lies in clear"
    else:
        yield "NOT CLEAN: something lies in clear, or could not be read; see above"


def clean(places: Sequence[Place]) -> bool:
    return all(place.clean for place in places)


def as_json(places: Sequence[Place]) -> dict[str, Any]:
    return {
        "clean": clean(places),
        "places": [
            {
                "place": place.name.strip(),
                "files": place.files,
                "bytes": place.size,
                "unread": place.unread,
                "read": place.read,
                "hits": dict(sorted(place.hits.items())),
            }
            for place in places
        ],
    }


def size(count: int) -> str:
    """Bytes for people."""
    amount = float(count)
    for unit in ("B", "KB", "MB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GB"


def _found(place: Place) -> str:
    told = [f"{label} ×{count}" for label, count in sorted(place.hits.items())]
    if not place.read:
        return "not read"
    if place.unread:
        told.append(f"{place.unread} could not be read")
    return ", ".join(told) or "nothing"
