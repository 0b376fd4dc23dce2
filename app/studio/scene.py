"""What the front camera of a phone sees of a living applicant, unmirrored, at any moment of a check."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from activation.ids import Iccid
from app.studio.camera import Camera
from app.studio.hands import hold
from app.studio.head import LOOKING_AHEAD, Framing, Head, Look
from app.studio.performance import AT_REST, CLOSER_SCALE, Moment, Showing
from app.studio.pixels import Image, Quad, blend, paste, quad
from app.studio.portraits import EYES, EYES_TO_CHIN, Portrait, sit
from app.studio.room import room
from app.studio.sim_carrier import draw_sim_carrier

SIZE = (640, 480)
CARD_WIDTH = 0.8
"""Share of the picture's width that a card fills when it is held to the camera."""
FACE_MIDDLE = (EYES[0], EYES[1] + 0.25 * EYES_TO_CHIN)
_FACE_HEIGHT = 264.0
"""Pixels of the face in the canonical frame."""
_FACE_IN_PICTURE = 0.44
_CARD_PIXELS = 1.2
"""Resolution at which a card is kept, over that at which it is shown."""
_BLINK_EVERY_S = 4.3
_BLINK_S = 0.22


class Person(Protocol):
    """Somebody who can be filmed."""

    @property
    def seed(self) -> int: ...

    @property
    def portrait(self) -> Portrait: ...

    @property
    def front(self) -> Image:
        """The identity card's front, (1080, 1712, 3) BGR."""
        ...


class Scene(Protocol):
    """Something that a camera looks at. Not shared between threads."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its frames."""
        ...

    @property
    def nod_up(self) -> float:
        """Degrees of a nod upwards that shows as one."""
        ...

    def frame(self, seconds: float, moment: Moment) -> Image:
        """(H, W, 3) BGR at `seconds` from the start; no two frames are the same."""
        ...


class LiveScene:
    """A living person in a room who moves and shows cards.

    portrait: another's face where the person is not the applicant. document: the card's front that is shown,
    default the applicant's own.
    """

    def __init__(
        self,
        applicant: Person,
        size: tuple[int, int] = SIZE,
        iccid: Iccid | None = None,
        portrait: Portrait | None = None,
        document: Image | None = None,
        seed: int | None = None,
    ) -> None:
        self._size = size
        self._seed = applicant.seed if seed is None else seed
        self._portrait = portrait or applicant.portrait
        self._head = Head(self._portrait)
        self._room = room(*size, self._seed)
        self._camera = Camera(size, self._seed)
        self._phase = np.random.default_rng(self._seed).uniform(0, 2 * math.pi, 6)
        self._cards = {Showing.ID_FRONT: _reduced(applicant.front if document is None else document, size)}
        if iccid is not None:
            self._cards[Showing.SIM] = _reduced(draw_sim_carrier(iccid), size)

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    @property
    def nod_up(self) -> float:
        return self._portrait.nod_up

    def frame(self, seconds: float, moment: Moment = AT_REST) -> Image:
        return self._camera.take(self.unseen(seconds, moment), seconds)

    def unseen(self, seconds: float, moment: Moment = AT_REST) -> Image:
        """The scene without the camera's noise and drift."""
        scene = self._room.copy()
        self.put_person(scene, seconds, moment)
        self.put_card(scene, seconds, moment)
        return scene

    def put_person(
        self, scene: Image, seconds: float, moment: Moment, aside: float = 0.0, scale: float = 1.0
    ) -> None:
        """Draw the person into `scene` in place. aside: displacement in picture widths."""
        person, mask = self._head.draw(
            self._alive(seconds, moment.look), self._framing(seconds, moment, aside, scale), self._size
        )
        blend(scene, person, mask)

    def put_card(self, scene: Image, seconds: float, moment: Moment) -> None:
        """Draw the card in the hands, if any, into `scene` in place."""
        card = self._cards.get(moment.showing) if moment.showing else None
        if card is None or moment.raised <= 0:
            return
        hold(scene, card, self._card_corners(seconds, moment.raised), sit(self._portrait).skin)

    def _alive(self, seconds: float, look: Look) -> Look:
        """Nobody holds quite still, and everybody blinks."""
        a, b, c = (math.sin(w * seconds + p) for w, p in zip((0.9, 1.3, 0.6), self._phase[:3], strict=True))
        blink = look.blink
        if look == LOOKING_AHEAD:
            since = (seconds + self._phase[3]) % _BLINK_EVERY_S
            blink = max(0.0, 1 - abs(since / (_BLINK_S / 2) - 1)) if since < _BLINK_S else 0.0
        return Look(look.yaw + 1.1 * a, look.pitch + 0.8 * b, look.roll + 0.7 * c, blink, look.mouth)

    def _framing(self, seconds: float, moment: Moment, aside: float, scale: float) -> Framing:
        width, height = self._size
        size = min(height, 1.1 * width)
        usual = scale * _FACE_IN_PICTURE * size / _FACE_HEIGHT
        breath = 1 + 0.004 * math.sin(1.6 * seconds + self._phase[4])
        sway = 0.006 * size * math.sin(0.5 * seconds + self._phase[5])
        nearer = usual * breath * (1 + (CLOSER_SCALE - 1) * moment.closer)
        return Framing(nearer, FACE_MIDDLE, (width * (0.5 + aside) + sway, height * 0.47 + 0.4 * sway))

    def _card_corners(self, seconds: float, raised: float) -> Quad:
        width, height = self._size
        drift = [math.sin(w * seconds + p) for w, p in zip((0.8, 1.1, 0.6, 0.7), self._phase, strict=False)]
        card_width = min(width * CARD_WIDTH, height * 1.3) * (0.75 + 0.25 * raised) * (1 + 0.01 * drift[3])
        card_height = card_width * 54 / 85.6
        corners = quad(card_width, card_height) - np.array([card_width, card_height], np.float32) / 2
        angle = math.radians(1.2 * drift[2] + 6 * (1 - raised))
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        lowered = (1 - raised) * (height * 0.5 + card_height * 0.6)
        middle = (width * (0.5 + 0.006 * drift[0]), height * (0.54 + 0.008 * drift[1]) + lowered)
        return np.asarray(corners @ turn + np.array(middle), np.float32)


class EmptyScene(LiveScene):
    """The same room with nobody in it; hands that show cards from below."""

    def put_person(
        self, scene: Image, seconds: float, moment: Moment, aside: float = 0.0, scale: float = 1.0
    ) -> None:
        return None


class CrowdScene(LiveScene):
    """The applicant and another person, both in the picture."""

    def __init__(
        self,
        applicant: Person,
        other: Portrait,
        size: tuple[int, int] = SIZE,
        iccid: Iccid | None = None,
    ) -> None:
        super().__init__(applicant, size, iccid)
        self._other = Head(other)

    def put_person(
        self, scene: Image, seconds: float, moment: Moment, aside: float = 0.0, scale: float = 1.0
    ) -> None:
        there = self._framing(seconds + 1.7, AT_REST, 0.24, 0.72)
        person, mask = self._other.draw(self._alive(seconds + 1.7, LOOKING_AHEAD), there, self._size)
        blend(scene, person, mask)
        super().put_person(scene, seconds, moment, aside=-0.2, scale=0.8)


def _reduced(card: Image, size: tuple[int, int]) -> Image:
    """`card` at a resolution a little above that in which it will be seen."""
    width = round(min(size[0] * CARD_WIDTH, size[1] * 1.3) * _CARD_PIXELS)
    small = np.zeros((round(width * 54 / 85.6), width, 3), np.uint8)
    paste(small, card, quad(small.shape[1], small.shape[0]), rounding=0.0)
    return small
