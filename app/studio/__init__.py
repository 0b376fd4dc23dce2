"""Fictional applicants, their documents and living image, for tests, the demo and the attack bench."""

from app.studio.actor import Actor, Performer
from app.studio.applicant import Applicant, Flaw
from app.studio.attacks import Attack, perform
from app.studio.bad_captures import BadCapture
from app.studio.film import FilmTiming, film
from app.studio.fonts import FontMissing
from app.studio.guard import StudioInProduction, refuse_in_production
from app.studio.people import StudioApplicant, make_applicant
from app.studio.portraits import PORTRAITS, PortraitMissing
from app.studio.scene import LiveScene
from app.studio.sim_carrier import draw_sim_carrier, fictional_iccid

__all__ = [
    "PORTRAITS",
    "Actor",
    "Applicant",
    "Attack",
    "BadCapture",
    "FilmTiming",
    "Flaw",
    "FontMissing",
    "LiveScene",
    "Performer",
    "PortraitMissing",
    "StudioApplicant",
    "StudioInProduction",
    "draw_sim_carrier",
    "fictional_iccid",
    "film",
    "make_applicant",
    "perform",
    "refuse_in_production",
]
