"""The policy in force is noted once, and again when it is another one."""

from __future__ import annotations

from dataclasses import replace

from app.compliance.audit.checkpoints import DAILY, Checkpoints
from app.compliance.audit.policy import note_policy
from app.compliance.audit.verifying import verify
from tests.activation.stand_ins import POLICY
from tests.app.compliance.audit.trail import KEY, KEYS, Sessions


async def test_only_another_policy_is_news(sessions: Sessions, readers: Sessions) -> None:
    stricter = replace(POLICY, minimum_age=POLICY.minimum_age + 2)
    noted = [await note_policy(sessions, each) for each in (POLICY, POLICY, stricter, stricter, POLICY)]
    assert noted == [True, False, True, False, True]
    assert (await verify(readers, KEYS)).entries == 3


async def test_the_daily_routine_makes_a_checkpoint(sessions: Sessions, readers: Sessions) -> None:
    routine = Checkpoints(sessions, readers, KEY).routine()
    await routine.run()
    await routine.run()
    verified = await verify(readers, KEYS)
    assert (routine.name, verified.checkpoints, verified.faults) == (DAILY, 2, [])
