"""The challenge of an attempt as it is kept with it, so that any process may answer its offer."""

from __future__ import annotations

from typing import Any

from media.liveness import Movement, Script


def write_script(script: Script) -> dict[str, Any]:
    """A JSON object."""
    return {
        "nonce": script.nonce,
        "movements": [movement.value for movement in script.movements],
        "pauses_ms": list(script.pauses_ms),
        "window_ms": script.window_ms,
        "position_ms": script.position_ms,
    }


def read_script(stored: dict[str, Any]) -> Script:
    """Inverse of `write_script`. Raises KeyError or ValueError on anything else."""
    return Script(
        nonce=str(stored["nonce"]),
        movements=tuple(Movement(each) for each in stored["movements"]),
        pauses_ms=tuple(int(each) for each in stored["pauses_ms"]),
        window_ms=int(stored["window_ms"]),
        position_ms=int(stored["position_ms"]),
    )
