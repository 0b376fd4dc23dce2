"""A person at the phone: hears the guidance, takes a moment to react, and is filmed all the while."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from app.studio.performance import AT_REST, Moment, Showing, moving, seconds_of, showing
from app.studio.pixels import Image
from app.studio.scene import Scene
from media.liveness import Movement

REACTION_S = (0.3, 0.8)
PATIENCE_S = 2.2
"""A person who is not answered repeats the movement after so long."""
MAX_REMEMBERED = 32
"""Messages kept until the next frame is taken."""

_CARDS = {"document": Showing.ID_FRONT, "sim": Showing.SIM}
_MOVEMENTS = {movement.value: movement for movement in Movement}


class Performer(Protocol):
    """What stands before the phone's camera. `hear` may be called from any thread, `frame` from one."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames."""
        ...

    def hear(self, message: Mapping[str, object]) -> None:
        """A message of the guidance channel from the server."""
        ...

    def frame(self, t_ms: int) -> Image | None:
        """(H, W, 3) BGR at `t_ms` since the camera was opened; None: it gives no more."""
        ...


@dataclass(frozen=True)
class _Doing:
    """What the person does from `since` on (seconds of the performance)."""

    since: float
    movement: Movement | None = None
    card: Showing | None = None


class Actor:
    """Follows the guidance in `scene`. The same seed reacts with the same delays."""

    def __init__(self, scene: Scene, seed: int = 0) -> None:
        self._scene = scene
        self._rng = random.Random(seed)
        self._lock = threading.Lock()
        self._heard: deque[Mapping[str, object]] = deque(maxlen=MAX_REMEMBERED)
        self._doing = _Doing(0.0)
        self._next: _Doing | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self._scene.size

    def hear(self, message: Mapping[str, object]) -> None:
        if message.get("type") in ("step", "result"):
            with self._lock:
                self._heard.append(message)

    def frame(self, t_ms: int) -> Image | None:
        seconds = t_ms / 1000
        return self._scene.frame(seconds, self._moment(seconds))

    def _moment(self, seconds: float) -> Moment:
        with self._lock:
            heard = list(self._heard)
            self._heard.clear()
        for message in heard:
            asked = self._understood(message, seconds + self._rng.uniform(*REACTION_S))
            if asked.card is None or asked.card is not self._doing.card:
                self._next = asked
        if self._next is not None and seconds >= self._next.since:
            self._doing, self._next = self._next, None
        return self._act(seconds)

    def _understood(self, message: Mapping[str, object], since: float) -> _Doing:
        if message.get("type") != "step":
            return _Doing(since)
        movement = _MOVEMENTS.get(str(message.get("prompt")))
        return _Doing(since, movement, _CARDS.get(str(message.get("stage"))))

    def _act(self, seconds: float) -> Moment:
        doing, since = self._doing, seconds - self._doing.since
        if doing.card is not None:
            return showing(doing.card, since)
        if doing.movement is None:
            return AT_REST
        turn = seconds_of(doing.movement) + PATIENCE_S
        return moving(doing.movement, since % turn, self._scene.nod_up)
