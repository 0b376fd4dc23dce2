"""Fictional applicants, their documents and living image, for tests, the demo and the attack bench."""

from app.studio.applicant import Applicant, Flaw
from app.studio.bad_captures import BadCapture
from app.studio.fonts import FontMissing
from app.studio.guard import StudioInProduction, refuse_in_production
from app.studio.people import StudioApplicant, make_applicant
from app.studio.portraits import PORTRAITS, PortraitMissing
from app.studio.sim_carrier import draw_sim_carrier, fictional_iccid

__all__ = [
    "PORTRAITS",
    "Applicant",
    "BadCapture",
    "Flaw",
    "FontMissing",
    "PortraitMissing",
    "StudioApplicant",
    "StudioInProduction",
    "draw_sim_carrier",
    "fictional_iccid",
    "make_applicant",
    "refuse_in_production",
]
