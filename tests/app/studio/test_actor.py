import itertools

import numpy as np
import pytest

from app.studio import Actor, LiveScene, make_applicant
from app.studio.actor import REACTION_S
from app.studio.performance import AT_REST, Moment, Showing
from app.studio.pixels import Image, solid
from app.studio.portraits import PORTRAITS
from media.liveness import Movement
from tests.app.studio.performing import check, script_of

M = Movement


class Notebook:
    """A scene that notes what it is asked to show."""

    size = (64, 48)
    nod_up = 18.0

    def __init__(self) -> None:
        self.moments: list[tuple[float, Moment]] = []

    def frame(self, seconds: float, moment: Moment) -> Image:
        self.moments.append((seconds, moment))
        return solid(self.size, (0, 0, 0))


def played(actor: Actor, notebook: Notebook, from_ms: int, to_ms: int) -> list[tuple[float, Moment]]:
    before = len(notebook.moments)
    for t_ms in range(from_ms, to_ms, 50):
        actor.frame(t_ms)
    return notebook.moments[before:]


def test_reacts_after_a_human_delay_and_repeats_until_answered() -> None:
    notebook = Notebook()
    actor = Actor(notebook, seed=1)
    assert all(moment == AT_REST for _, moment in played(actor, notebook, 0, 1000))
    actor.hear({"type": "step", "seq": 1, "stage": "movement", "prompt": "turn_left"})
    moments = played(actor, notebook, 1000, 9000)
    began = next(seconds for seconds, moment in moments if moment.look.yaw > 0)
    assert REACTION_S[0] <= began - 1.0 <= REACTION_S[1] + 0.15
    starts = [b for (_, a), (_, b) in itertools.pairwise(moments) if a == AT_REST and b != AT_REST]
    assert len(starts) >= 2


def test_shows_one_card_after_the_other_and_rests_at_the_end() -> None:
    notebook = Notebook()
    actor = Actor(notebook)
    for stage, card, t_ms in (("document", Showing.ID_FRONT, 0), ("sim", Showing.SIM, 4000)):
        actor.hear({"type": "step", "stage": stage, "prompt": "show"})
        last = played(actor, notebook, t_ms, t_ms + 4000)[-1][1]
        assert last == Moment(showing=card, raised=1.0)
    actor.hear({"type": "result", "outcome": "received"})
    assert played(actor, notebook, 8000, 9500)[-1][1] == AT_REST


def test_a_repeated_request_does_not_make_the_card_sink() -> None:
    notebook = Notebook()
    actor = Actor(notebook)
    actor.hear({"type": "step", "stage": "document", "prompt": "show_id_front"})
    played(actor, notebook, 0, 3000)
    actor.hear({"type": "step", "stage": "document", "prompt": "show_id_front"})
    assert all(moment.raised == 1.0 for _, moment in played(actor, notebook, 3000, 5000))


@pytest.mark.parametrize(
    "message", [{}, {"type": "progress", "hint": "no_face"}, {"type": "step"}, {"type": 7}]
)
def test_what_it_does_not_understand_leaves_it_at_rest(message: dict[str, object]) -> None:
    notebook = Notebook()
    actor = Actor(notebook)
    actor.hear(message)
    assert all(moment == AT_REST for _, moment in played(actor, notebook, 0, 2000))


@pytest.mark.parametrize("name", list(PORTRAITS))
@pytest.mark.parametrize(
    "movements", [(M.TURN_LEFT, M.NOD_UP, M.BLINK), (M.NOD_DOWN, M.TURN_RIGHT, M.COME_CLOSER, M.OPEN_MOUTH)]
)
def test_does_every_movement_so_that_it_is_measured(name: str, movements: tuple[Movement, ...]) -> None:
    person = make_applicant(3, portrait=name)
    measured = check(Actor(LiveScene(person), seed=2), script_of(*movements))
    assert measured.finished
    assert all(movement.in_order for movement in measured.movements)


def test_the_same_seed_performs_the_same() -> None:
    one, two = (Actor(LiveScene(make_applicant(2)), seed=5) for _ in range(2))
    for t_ms in range(0, 400, 100):
        first, second = one.frame(t_ms), two.frame(t_ms)
        assert first is not None
        assert second is not None
        assert np.array_equal(first, second)
