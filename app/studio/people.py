"""The studio's front door: one fictional applicant with document, captures and living image."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from activation.ids import Iccid
from app.studio import captures, specimen
from app.studio.actor import Performer
from app.studio.applicant import Applicant, Flaw, fictional
from app.studio.attacks import Attack, perform
from app.studio.bad_captures import BadCapture, bad_capture
from app.studio.pixels import Image, to_jpeg
from app.studio.portraits import PORTRAITS, Portrait
from app.studio.scene import SIZE
from app.studio.sim_carrier import draw_sim_carrier


@dataclass(frozen=True, repr=False, eq=False)
class StudioApplicant:
    """A person who does not exist. The same seed gives the same bytes."""

    seed: int
    applicant: Applicant
    portrait: Portrait = field(repr=False)

    @cached_property
    def front(self) -> Image:
        """The card's front, (1080, 1712, 3) BGR."""
        return specimen.front(self.applicant, self.portrait)

    @cached_property
    def back(self) -> Image:
        """The card's back, (1080, 1712, 3) BGR."""
        return specimen.back(self.applicant)

    def front_jpeg(self) -> bytes:
        return to_jpeg(captures.scan(self.front, self.seed))

    def back_jpeg(self) -> bytes:
        return to_jpeg(captures.scan(self.back, self.seed + 1))

    def handheld_jpeg(self, document_of: StudioApplicant | None = None) -> bytes:
        """The handheld photo; with another's card where `document_of` is given."""
        card = (document_of or self).front
        return to_jpeg(captures.handheld(self.portrait, card, self.seed))

    def bad_jpeg(self, kind: BadCapture, back: bool = False) -> bytes:
        """A capture that must be refused, of the front (or the back)."""
        card = self.back if back else self.front
        return to_jpeg(bad_capture(kind, self.portrait, card, self.seed))

    def sim_jpeg(self, iccid: Iccid, activation_url: str | None = None) -> bytes:
        """The SIM carrier on a table."""
        return to_jpeg(captures.scan(draw_sim_carrier(iccid, activation_url), self.seed + 2))

    def actor(
        self,
        attack: Attack | None = None,
        iccid: Iccid | None = None,
        size: tuple[int, int] = SIZE,
    ) -> Performer:
        """Who is before the phone's camera: the living applicant or an attack. iccid: of the SIM shown."""
        return perform(attack, self, iccid, size)


def make_applicant(
    seed: int, portrait: str | None = None, flaws: Collection[Flaw] = (), today: date | None = None
) -> StudioApplicant:
    """The applicant of `seed`.

    portrait: a name of `PORTRAITS`, default one of the bareheaded by the seed. flaws: what is wrong with
    the document. today: what validity is reckoned from, default now (UTC).
    Raises `FontMissing` or `PortraitMissing` when drawn without what the studio needs.
    """
    bareheaded = [each for each in PORTRAITS.values() if each.bareheaded]
    chosen = PORTRAITS[portrait] if portrait else bareheaded[seed % len(bareheaded)]
    return StudioApplicant(seed, fictional(seed, chosen.sex, flaws, today), chosen)
