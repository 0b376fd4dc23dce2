"""What the server says over the guidance channel: prompts with their texts, progress, and the result.

Never a score, and never which of the data shown did not agree.
"""

from __future__ import annotations

from enum import StrEnum

from media.liveness import Movement

VERSION = 1

_TEXTS: dict[str, tuple[str, str]] = {
    "face_oval": ("请将面部放入框内，正视屏幕", "Bring your face into the oval and look straight ahead"),
    Movement.TURN_LEFT: ("请慢慢向左转头，然后转回", "Slowly turn your head to your left, then back"),
    Movement.TURN_RIGHT: ("请慢慢向右转头，然后转回", "Slowly turn your head to your right, then back"),
    Movement.NOD_UP: ("请慢慢抬头，然后回正", "Slowly look up, then straight ahead"),
    Movement.NOD_DOWN: ("请慢慢低头，然后回正", "Slowly look down, then straight ahead"),
    Movement.OPEN_MOUTH: ("请张开嘴，然后闭上", "Open your mouth, then close it"),
    Movement.COME_CLOSER: ("请靠近手机，然后退回", "Come closer to the phone, then move back"),
    Movement.BLINK: ("请眨眨眼", "Blink your eyes"),
    "show_id_front": (
        "请将身份证人像面对准镜头，保持不动",
        "Hold the front of your ID card to the camera and keep it still",
    ),
    "show_iccid": (
        "请将 SIM 卡上的条形码或号码对准镜头",
        "Hold the SIM card's bar code or number to the camera",
    ),
}


class ResultWord(StrEnum):
    RECEIVED = "received"
    TRY_AGAIN = "try_again"
    EXPIRED = "expired"
    ABORTED = "aborted"


def hello(check: str, expires_in_s: int) -> dict[str, object]:
    return {"type": "hello", "check": check, "expires_in_s": expires_in_s, "version": VERSION}


def step(seq: int, stage: str, prompt: str, within_ms: int) -> dict[str, object]:
    """One thing to do now."""
    zh, en = _TEXTS[prompt]
    return {
        "type": "step",
        "seq": seq,
        "stage": stage,
        "prompt": prompt,
        "text": {"zh-CN": zh, "en": en},
        "within_ms": within_ms,
    }


def progress(seq: int, fraction: float, hint: str | None) -> dict[str, object]:
    """How far the current step is, 0 to 1, and what to change."""
    return {"type": "progress", "seq": seq, "fraction": round(fraction, 2), "hint": hint}


def result(word: ResultWord) -> dict[str, object]:
    return {"type": "result", "outcome": word.value}
