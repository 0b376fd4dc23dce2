"""A limit on how often something may happen: a bucket that fills steadily and holds a burst."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Bucket:
    """Allows `per_second` on average and `burst` at once; times are seconds of any steady clock."""

    per_second: float
    burst: float
    _level: float = field(init=False)
    _at: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._level = self.burst

    def take(self, now: float) -> bool:
        """True where one more is within the limit; False is not counted against later ones."""
        if self._at is not None:
            self._level = min(self.burst, self._level + (now - self._at) * self.per_second)
        self._at = now
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True
