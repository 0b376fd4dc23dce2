"""Plays a performer to the liveness measure as a check would, without a network."""

from __future__ import annotations

from app.studio import Performer
from media.faces import open_tracker
from media.liveness import ChallengeMeasured, ChallengeTracker, Movement, Script, Stage

FRAME_MS = 100
PAUSE_MS = 500


def script_of(*movements: Movement) -> Script:
    return Script("nonce", movements, tuple(PAUSE_MS for _ in movements))


def check(performer: Performer, script: Script, camera_open_ms: int = 0) -> ChallengeMeasured:
    """What was measured. camera_open_ms: how long the camera runs before the server sees it."""
    tracker, challenge = open_tracker(), ChallengeTracker(script)
    prompted = None
    performer.hear({"type": "step", "seq": 0, "stage": "position", "prompt": "face_oval"})
    for t_ms in range(FRAME_MS, 60_000, FRAME_MS):
        frame = performer.frame(camera_open_ms + t_ms)
        if frame is None:
            break
        view = challenge.feed(tracker.track(frame, t_ms), frame.shape, t_ms)
        if view.finished:
            break
        if view.stage is Stage.MOVEMENT and view.index != prompted:
            prompted = view.index
            assert view.movement is not None
            performer.hear({"type": "step", "stage": "movement", "prompt": view.movement.value})
    tracker.close()
    return challenge.measured()
