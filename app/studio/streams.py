"""Streams that are not a living person's: recordings, loops, frozen and broken cameras."""

from __future__ import annotations

from collections.abc import Mapping

from app.studio.actor import Performer
from app.studio.film import FilmTiming, moment_of_film
from app.studio.pixels import Image
from app.studio.scene import Scene
from media.liveness import Movement

_REPLAY_TIMING = FilmTiming(lead_in=4.0, per_movement=3.0, document=9.0, sim=60.0)
_SECOND = 2


class Recording:
    """A film of an earlier check that answers nothing."""

    def __init__(self, scene: Scene, movements: tuple[Movement, ...]) -> None:
        self._scene = scene
        self._movements = movements

    @property
    def size(self) -> tuple[int, int]:
        return self._scene.size

    def hear(self, message: Mapping[str, object]) -> None:
        return None

    def frame(self, t_ms: int) -> Image | None:
        seconds = t_ms / 1000
        moment = moment_of_film(seconds, self._movements, _REPLAY_TIMING, self._scene.nod_up)
        return self._scene.frame(seconds, moment)


class Deaf:
    """The living person, who does nothing that is asked."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    @property
    def size(self) -> tuple[int, int]:
        return self._performer.size

    def hear(self, message: Mapping[str, object]) -> None:
        return None

    def frame(self, t_ms: int) -> Image | None:
        return self._performer.frame(t_ms)


class _HalfWay(Deaf):
    """Follows the guidance until the server asks for the second movement; then something happens."""

    def __init__(self, performer: Performer) -> None:
        super().__init__(performer)
        self._prompted: set[object] = set()

    def hear(self, message: Mapping[str, object]) -> None:
        if message.get("type") == "step" and message.get("stage") == "movement":
            self._prompted.add(message.get("prompt"))
        self._performer.hear(message)

    @property
    def half_way(self) -> bool:
        return len(self._prompted) >= _SECOND


class Frozen(_HalfWay):
    """A stream that shows one picture for ever from half-way on."""

    def __init__(self, performer: Performer) -> None:
        super().__init__(performer)
        self._last: Image | None = None

    def frame(self, t_ms: int) -> Image | None:
        if not self.half_way or self._last is None:
            self._last = self._performer.frame(t_ms)
        return self._last


class Stopping(_HalfWay):
    """A camera that ends half-way."""

    def frame(self, t_ms: int) -> Image | None:
        return None if self.half_way else self._performer.frame(t_ms)


class Swapped(_HalfWay):
    """Another performer takes over half-way."""

    def __init__(self, performer: Performer, successor: Performer) -> None:
        super().__init__(performer)
        self._successor = successor

    def hear(self, message: Mapping[str, object]) -> None:
        super().hear(message)
        self._successor.hear(message)

    def frame(self, t_ms: int) -> Image | None:
        return (self._successor if self.half_way else self._performer).frame(t_ms)


class Loop(Deaf):
    """The first `length_ms` over and over."""

    def __init__(self, performer: Performer, length_ms: int) -> None:
        super().__init__(performer)
        self._length_ms = length_ms
        self._kept: list[tuple[int, Image]] = []

    def frame(self, t_ms: int) -> Image | None:
        if t_ms < self._length_ms or not self._kept:
            frame = self._performer.frame(t_ms)
            if frame is not None:
                self._kept.append((t_ms, frame))
            return frame
        wanted = t_ms % self._length_ms
        return min(self._kept, key=lambda kept: abs(kept[0] - wanted))[1]
