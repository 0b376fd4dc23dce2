"""Tells the phone what to do now and how far it is, and remembers how late it was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from media.liveness import ChallengeView, Stage
from media.videocheck import limits, words
from media.webrtc import VideoPeer


class Guide:
    """One for each check. A step has a number; progress speaks of the step told last."""

    def __init__(self, peer: VideoPeer) -> None:
        self._peer = peer
        self._step: tuple[str, str, int] | None = None
        self._seq = 0
        self._told: tuple[float, str | None] = (0.0, None)
        self._delays: list[int] = []

    def say(self, message: Mapping[str, object]) -> None:
        """Sends one message, if the phone is still there."""
        if self._peer.guidance is not None:
            self._peer.guidance.send(message)

    def challenge(self, view: ChallengeView, hint: str | None, t_ms: int, age_ms: int) -> None:
        """What the challenge wants after a frame of `t_ms` that came `age_ms` ago."""
        left = max(0, (view.ends_at_ms or t_ms) - t_ms)
        match view.stage:
            case Stage.POSITION:
                self._now(("position", "face_oval", 0), left)
                self._progress(view.fraction, hint)
            case Stage.MOVEMENT if view.movement is not None:
                self._now(("movement", view.movement.value, view.index), left)
                self._progress(view.fraction, hint)
            case _:
                self._progress(1.0, None)
        if len(self._delays) < limits.MAX_DELAYS:
            self._delays.append(age_ms)

    def card(self, stage: str, prompt: str, left_ms: int, fraction: float, hint: str | None) -> None:
        """What to show, and how far it is read."""
        self._now((stage, prompt, 0), left_ms)
        self._progress(fraction, hint)

    @property
    def delays(self) -> tuple[int | None, int | None]:
        """Median and 95th percentile of the delays of the challenge, milliseconds."""
        if not self._delays:
            return None, None
        return _percentile(self._delays, 50), _percentile(self._delays, 95)

    def _now(self, step: tuple[str, str, int], within_ms: int) -> None:
        if step == self._step:
            return
        self._step = step
        self._seq += 1
        self._told = (0.0, None)
        self.say(words.step(self._seq, step[0], step[1], within_ms))

    def _progress(self, fraction: float, hint: str | None) -> None:
        """Only what changed, so that a slow phone is not flooded."""
        told, told_hint = self._told
        small = abs(fraction - told) < limits.PROGRESS_STEP and not (fraction >= 1.0 > told)
        if self._step is None or (hint == told_hint and small):
            return
        self._told = (fraction, hint)
        self.say(words.progress(self._seq, fraction, hint))


def _percentile(values: Sequence[int], share: int) -> int:
    return int(np.percentile(np.asarray(values), share))
