"""A stage for tests of the session: grey levels for what the camera sees, instruments that know them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation.evidence import ModelRef
from activation.ids import luhn_check_digit
from media.documents.readings import CardSighting, CardVote
from media.faces import Face
from media.liveness import ChallengeMeasured, ChallengeView, Hint, Movement, Script, Stage
from media.liveness.measured import ContinuityMeasured, DepthMeasured, MovementSeen
from media.videocheck import Instruments
from tests.media.webrtc.people import Showing

NOBODY, PERSON, TWO_PEOPLE, MOVING, CARD, OTHER_CARD, SIM = 20, 60, 90, 120, 160, 190, 230
MODEL = ModelRef("grey", "1", "0" * 64)
ICCID = "8986000000000000000" + luhn_check_digit("8986000000000000000")
NAME, NUMBER = "样本", "specimen-number"


def level_of(bgr: NDArray[np.uint8]) -> int:
    """The level nearest to the picture's mean."""
    known = (NOBODY, PERSON, TWO_PEOPLE, MOVING, CARD, OTHER_CARD, SIM)
    return min(known, key=lambda level: abs(level - float(bgr.mean())))


def _face(size: float) -> Face:
    points = np.zeros((478, 3), np.float32)
    points[0, :2], points[1, :2] = (0.0, 0.0), (size, size)
    return Face(points)


class GreyTracker:
    open_now = 0

    def __init__(self) -> None:
        GreyTracker.open_now += 1

    def track(self, bgr: NDArray[np.uint8], t_ms: int) -> list[Face]:
        level = level_of(bgr)
        return [] if level == NOBODY else [_face(100.0)] * (2 if level == TWO_PEOPLE else 1)

    def close(self) -> None:
        GreyTracker.open_now -= 1


class GreyFinder:
    def find(self, bgr: NDArray[np.uint8]) -> list[Face]:
        return [_face(50.0)]

    def close(self) -> None: ...


class GreyRecogniser:
    model = MODEL

    def embed(self, bgr: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        vector = np.array([1.0, 0.0], np.float32)
        return vector if face.size > 80 else np.array([0.6, 0.8], np.float32)


class GreyChallenge:
    """Three frames of a person, then one movement for each of the script, done when the level is MOVING."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._held = self._done = 0
        self._from: int | None = None
        self._rested = False
        self._over = self._moved = False
        self.embeddings = 0
        self._two = self._frames = 0

    def feed(self, faces: Sequence[Face], bgr_shape: Sequence[int], t_ms: int) -> ChallengeView:
        raise NotImplementedError

    def look(self, level: int, t_ms: int) -> ChallengeView:
        self._frames += 1
        self._two += level == TWO_PEOPLE
        if self._from is None:
            self._from = t_ms
        hint = {NOBODY: Hint.NO_FACE, TWO_PEOPLE: Hint.TWO_FACES}.get(level)
        self._moved = False
        if self._held < 3:
            self._held = self._held + 1 if level == PERSON else 0
            if self._held == 3:
                self._from = t_ms
        elif level == MOVING and self._rested:
            self._moved = True
            self._done, self._rested, self._from = self._done + 1, False, t_ms
        elif level == PERSON:
            self._rested = True
        ends = self._from + (self._script.position_ms if self._held < 3 else self._script.window_ms)
        self._over = self._over or t_ms >= ends or self._done == len(self._script.movements)
        return self._view(hint, level, ends)

    def _view(self, hint: Hint | None, level: int, ends: int) -> ChallengeView:
        if self._over:
            return ChallengeView(Stage.FINISHED, self._done, None, 1.0, None, None, False, self._moved)
        if self._held < 3:
            return ChallengeView(Stage.POSITION, 0, None, self._held / 3, hint, ends, frontal=False)
        movement = self._script.movements[self._done]
        straight = level == PERSON
        return ChallengeView(Stage.MOVEMENT, self._done, movement, 0.0, hint, ends, straight, self._moved)

    def add_embedding(self, embedding: NDArray[np.float32]) -> None:
        self.embeddings += 1

    def measured(self) -> ChallengeMeasured:
        seen = tuple(
            MovementSeen(movement, index < self._done, True, 20.0, 0, 900, ())
            for index, movement in enumerate(self._script.movements)
        )
        alike = 0.9 if self.embeddings > 1 else None
        return ChallengeMeasured(
            self._script.nonce,
            self._done == len(seen),
            700,
            None,
            seen,
            DepthMeasured(0.03, 8, 25.0),
            ContinuityMeasured(self._frames, 0, 0, 0, self._two, 0.0, 0, self.embeddings, alike),
        )


class SeeingChallenge(GreyChallenge):
    """Told the level of each frame by its tracker, because a challenge sees no pixels."""

    def __init__(self, script: Script, levels: list[int]) -> None:
        super().__init__(script)
        self._levels = levels

    def feed(self, faces: Sequence[Face], bgr_shape: Sequence[int], t_ms: int) -> ChallengeView:
        return self.look(self._levels[-1], t_ms)


class NotingTracker(GreyTracker):
    """Notes the level of each frame for the challenge, which sees no pixels."""

    def __init__(self, levels: list[int]) -> None:
        super().__init__()
        self._levels = levels

    def track(self, bgr: NDArray[np.uint8], t_ms: int) -> list[Face]:
        self._levels.append(level_of(bgr))
        return super().track(bgr, t_ms)


class GreyCard:
    def __init__(self) -> None:
        self._seen = 0
        self._portrait: NDArray[np.uint8] | None = None

    def feed(self, bgr: NDArray[np.uint8]) -> CardSighting | None:
        if level_of(bgr) != CARD:
            return None
        self._seen += 1
        self._portrait = bgr
        return CardSighting(NUMBER, NAME, 0.9, 0.5, 0.0, None)

    def voted(self) -> CardVote:
        if self._seen < 2:
            return CardVote(None, None, self._seen, self._seen, self._seen, None)
        return CardVote(NUMBER, NAME, self._seen, self._seen, self._seen, self._portrait)

    @property
    def complete(self) -> bool:
        return self._seen >= 2


def grey_iccid(bgr: NDArray[np.uint8]) -> str | None:
    return ICCID if level_of(bgr) == SIM else None


def grey_instruments() -> Instruments:
    """Instruments for one session."""
    levels: list[int] = [NOBODY]
    return Instruments(
        recogniser=GreyRecogniser(),
        finder=GreyFinder(),
        tracker_model=MODEL,
        open_tracker=lambda: NotingTracker(levels),
        open_challenge=lambda script: SeeingChallenge(script, levels),
        open_card=GreyCard,
        find_iccid=grey_iccid,
    )


def short_script(window_ms: int = 6_000, position_ms: int = 6_000) -> Script:
    return Script("nonce", (Movement.TURN_LEFT, Movement.NOD_UP), (0, 0), window_ms, position_ms)


class Person(Showing):
    """Does what the guidance says, from a list of what to show for each prompt."""

    ANSWERS: Mapping[str, int] = {
        "face_oval": PERSON,
        "turn_left": MOVING,
        "nod_up": MOVING,
        "show_id_front": CARD,
        "show_iccid": SIM,
    }

    def __init__(self, answers: Mapping[str, int | None] | None = None) -> None:
        super().__init__(PERSON)
        self._answers = {**self.ANSWERS, **(answers or {})}
        self._then: list[int | None] = []

    def hear(self, message: Mapping[str, Any]) -> None:
        if message.get("type") == "step":
            answer = self._answers[str(message["prompt"])]
            # A movement starts from rest.
            rest: list[int | None] = [PERSON] * 4 if answer == MOVING else []
            self._then = [*rest, answer]

    def frame(self, t_ms: int) -> NDArray[np.uint8] | None:
        if self._then:
            self.level = self._then[0]
            if len(self._then) > 1:
                self._then = self._then[1:]
        return super().frame(t_ms)
