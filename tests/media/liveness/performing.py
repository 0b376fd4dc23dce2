"""Plays a person before a `ChallengeTracker`, at ten frames a second."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from media.faces import Face
from media.liveness.challenge import ChallengeTracker
from media.liveness.script import Movement, Script
from media.liveness.view import ChallengeView, Stage
from tests.media.liveness.heads import SHAPE, Gesture, ease, face

FRAME_MS = 100
REST = Gesture()
GESTURES = {
    Movement.TURN_LEFT: Gesture(yaw=26.0),
    Movement.TURN_RIGHT: Gesture(yaw=-26.0),
    Movement.NOD_UP: Gesture(pitch=16.0),
    Movement.NOD_DOWN: Gesture(pitch=-16.0),
    Movement.OPEN_MOUTH: Gesture(mouth=1.0),
    Movement.COME_CLOSER: Gesture(near=1.4),
    Movement.BLINK: Gesture(eyes=0.3),
}
Scene = Callable[[Gesture], Sequence[Face]]


class Player:
    """Feeds the tracker and keeps the clock."""

    def __init__(self, script: Script, scene: Scene = lambda gesture: [face(gesture)]) -> None:
        self.tracker = ChallengeTracker(script)
        self.scene = scene
        self.t_ms = 0
        self.views: list[ChallengeView] = []
        self._noise = np.random.default_rng(7)

    def show(self, gesture: Gesture) -> ChallengeView:
        """One frame, with half a pixel of noise on the landmarks."""
        self.t_ms += FRAME_MS
        faces = [
            Face(f.points + self._noise.normal(0, 0.3, f.points.shape).astype(np.float32))
            for f in self.scene(gesture)
        ]
        self.views.append(self.tracker.feed(faces, SHAPE, self.t_ms))
        return self.views[-1]

    def hold(self, gesture: Gesture, ms: int) -> ChallengeView:
        for _ in range(max(1, ms // FRAME_MS)):
            view = self.show(gesture)
        return view

    def rest_until(self, stage: Stage, at_most_ms: int = 30_000, gesture: Gesture = REST) -> ChallengeView:
        began = self.t_ms
        view = self.show(gesture)
        while view.stage is not stage:
            assert self.t_ms - began < at_most_ms, f"{stage} did not come"
            view = self.show(gesture)
        return view

    def perform(self, movement: Movement, flat: bool = False) -> ChallengeView:
        """Waits a moment, does the movement and comes back."""
        rest, there = (dataclasses.replace(g, flat=flat) for g in (REST, GESTURES[movement]))
        self.hold(rest, 300)
        quick = movement is Movement.BLINK
        for share in (1.0,) if quick else (0.25, 0.5, 0.75, 1.0, 1.0, 1.0):
            self.show(ease(rest, there, share))
        for share in (0.0,) if quick else (0.66, 0.33, 0.0):
            view = self.show(ease(rest, there, share))
        return view


def play(script: Script, performed: Sequence[Movement] | None = None) -> Player:
    """Plays the whole script, doing `performed` instead of what it asks where given."""
    player = Player(script)
    for movement in performed if performed is not None else script.movements:
        player.rest_until(Stage.MOVEMENT)
        player.perform(movement)
    return player
