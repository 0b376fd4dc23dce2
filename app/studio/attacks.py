"""Presentation and injection attacks, with the same interface as `Actor`.

Every attacker has the right SIM, and the right documents unless the attack says otherwise.
"""

from __future__ import annotations

from enum import StrEnum

from activation.ids import Iccid
from app.studio.actor import Actor, Performer
from app.studio.applicant import fictional
from app.studio.flat import PrintScene, ScreenScene
from app.studio.pixels import Image
from app.studio.portraits import PORTRAITS, Portrait
from app.studio.scene import SIZE, CrowdScene, EmptyScene, LiveScene, Person
from app.studio.specimen import front
from app.studio.streams import Deaf, Frozen, Loop, Recording, Stopping, Swapped
from media.liveness import Movement

LOOP_MS = 4_000
_OTHER_SEED = 90_000
REPLAYED = (Movement.NOD_DOWN, Movement.OPEN_MOUTH, Movement.TURN_RIGHT)
"""What the person did in the recording that a replay shows."""


class Attack(StrEnum):
    PRINT = "print"
    REPLAY = "replay"
    INJECTED_REPLAY = "injected-replay"
    OTHER_PERSON = "other-person"
    OTHER_DOCUMENT = "other-document"
    FROZEN = "frozen"
    LOOP = "loop"
    STOPS = "stops"
    SWAP = "swap"
    TWO_FACES = "two-faces"
    NO_FACE = "no-face"
    IDLE = "idle"


def perform(
    attack: Attack | None,
    applicant: Person,
    iccid: Iccid | None = None,
    size: tuple[int, int] = SIZE,
    replayed: tuple[Movement, ...] = REPLAYED,
) -> Performer:
    """Who stands before the camera in place of `applicant`; the living applicant where `attack` is None.

    replayed: the movements of the earlier check that a replay shows.
    """
    seed = applicant.seed
    live = LiveScene(applicant, size, iccid)
    match attack:
        case None:
            return Actor(live, seed)
        case Attack.PRINT:
            return Actor(PrintScene(live), seed)
        case Attack.REPLAY:
            return Recording(ScreenScene(live), replayed)
        case Attack.INJECTED_REPLAY:
            return Recording(live, replayed)
        case Attack.OTHER_PERSON:
            return Actor(LiveScene(applicant, size, iccid, portrait=_other(applicant)), seed)
        case Attack.OTHER_DOCUMENT:
            return Actor(LiveScene(applicant, size, iccid, document=_other_document(applicant)), seed)
        case Attack.FROZEN:
            return Frozen(Actor(live, seed))
        case Attack.LOOP:
            return Loop(Actor(live, seed), LOOP_MS)
        case Attack.STOPS:
            return Stopping(Actor(live, seed))
        case Attack.SWAP:
            after = Actor(LiveScene(applicant, size, iccid, portrait=_other(applicant)), seed)
            return Swapped(Actor(live, seed), after)
        case Attack.TWO_FACES:
            return Actor(CrowdScene(applicant, _other(applicant), size, iccid), seed)
        case Attack.NO_FACE:
            return Actor(EmptyScene(applicant, size, iccid), seed)
        case Attack.IDLE:
            return Deaf(Actor(live, seed))


def _other(applicant: Person) -> Portrait:
    """Somebody else's portrait, bareheaded."""
    return next(each for each in PORTRAITS.values() if each.bareheaded and each != applicant.portrait)


def _other_document(applicant: Person) -> Image:
    """The card of somebody else, with that person's face and name."""
    portrait = _other(applicant)
    return front(fictional(applicant.seed + _OTHER_SEED, portrait.sex), portrait)
