"""Looks at frames: follows the face, notes frozen pictures, films the clip, keeps a few pictures.

Runs in worker threads, one look at a time; only the conductor calls it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activation.evidence import LivenessMeasured
from media.faces import Face, head_pose
from media.liveness import ChallengeView, FrozenWatch, Hint, Script, Stage, liveness_evidence
from media.liveness.limits import EMBED_YAW
from media.videocheck import limits
from media.videocheck.gallery import Gallery
from media.videocheck.instruments import Instruments
from media.webrtc import ClipWriter, ReceivedFrame

_CARD_YAW = EMBED_YAW
_CARD_PITCH = 20.0


@dataclass(frozen=True, eq=False, repr=False)
class Look:
    """What one frame showed. face: the person, where it is worth an embedding; where the view says `moved`
    it must be embedded. hint: what to change."""

    t_ms: int
    bgr: NDArray[np.uint8]
    view: ChallengeView
    face: Face | None
    hint: str | None


class Watch:
    """One for each check. `challenge` until its view is finished, then `cards`; `finish` once at the end."""

    def __init__(self, instruments: Instruments, script: Script, gallery: Gallery) -> None:
        self._tracker = instruments.open_tracker()
        self._challenge = instruments.open_challenge(script)
        self._frozen = FrozenWatch()
        self._clip = ClipWriter()
        self._gallery = gallery
        self._recogniser = instruments.recogniser.model
        self._view: ChallengeView | None = None
        self._person_size = 0.0
        self.answered = False
        """Every movement was done, in its window and in order; known when the challenge is finished."""

    def challenge(self, frame: ReceivedFrame) -> Look:
        """A frame of the challenge."""
        bgr, faces = self._see(frame)
        before, view = self._view, self._challenge.feed(faces, bgr.shape, frame.t_ms)
        self._view = view
        face = faces[0] if (view.frontal or view.moved) and faces else None
        if face is not None and view.frontal:
            self._person_size = face.size
            self._gallery.keep("face", frame.t_ms, bgr)
        if view.finished:
            self.answered = self._challenge.measured().all_done
        if before is not None and before.movement is not None and _step(before) != _step(view):
            self._gallery.keep(before.movement.value, frame.t_ms, bgr)
        return Look(frame.t_ms, bgr, view, face, _hint(view, bgr))

    def cards(self, frame: ReceivedFrame) -> Look:
        """A frame while a card is shown; the portrait on it is not the person."""
        assert self._view is not None
        bgr, faces = self._see(frame)
        person = [face for face in faces if face.size >= limits.LIVE_FACE_SHARE * self._person_size]
        alone = person[0] if len(person) == 1 and self._person_size > 0 else None
        return Look(frame.t_ms, bgr, self._view, alone if alone and _frontal(alone, bgr) else None, None)

    def finish(self) -> tuple[LivenessMeasured, bytes | None]:
        """What was measured, and the clip; once, after the last look and the last embedding."""
        self._tracker.close()
        for embedding in self._gallery.embeddings:
            self._challenge.add_embedding(embedding)
        measured = liveness_evidence(self._challenge.measured(), self._frozen.measured(), self._recogniser)
        return measured, self._clip.finish()

    def _see(self, frame: ReceivedFrame) -> tuple[NDArray[np.uint8], list[Face]]:
        bgr = frame.pixels()
        self._frozen.feed(bgr, frame.t_ms)
        self._clip.add(frame)
        return bgr, self._tracker.track(bgr, frame.t_ms)


def _step(view: ChallengeView) -> tuple[Stage, int]:
    return view.stage, view.index


def _frontal(face: Face, bgr: NDArray[np.uint8]) -> bool:
    height, width = bgr.shape[:2]
    try:
        pose = head_pose(face, width, height)
    except ValueError:
        return False
    return abs(pose.yaw) <= _CARD_YAW and abs(pose.pitch) <= _CARD_PITCH


def _hint(view: ChallengeView, bgr: NDArray[np.uint8]) -> str | None:
    """The tracker's hint; a face that is not found in the dark needs light first."""
    in_the_dark = view.hint is Hint.NO_FACE and view.stage is Stage.POSITION
    if in_the_dark and float(bgr[::8, ::8].mean()) < limits.DARK_LEVEL:
        return "too_dark"
    return view.hint.value if view.hint is not None else None
