"""Facts and decisions come back from JSON exactly as they were, whatever the database."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from activation.adapters.sql.decisions import Question, read_answer, write_answer
from activation.adapters.sql.facts import _KINDS, kind_of, read_fact, write_fact
from activation.evidence import Evidence, Facts, VideoCheckMeasured
from activation.findings import Reason
from activation.gate import Decision, Pass, Refuse, Review, Wait
from activation.ids import CheckId, DeliveryId, Digest, Iccid, OrderId, StaffId, luhn_check_digit
from tests.activation.stand_ins import POLICY, card, video_check

_iccids = st.text("0123456789", min_size=16, max_size=17).map(
    lambda digits: Iccid("89" + digits + luhn_check_digit("89" + digits))
)


st.register_type_strategy(Iccid, _iccids)
st.register_type_strategy(Digest, st.from_regex(Digest.pattern, fullmatch=True).map(Digest))
for _kind in (OrderId, CheckId, DeliveryId, StaffId):
    st.register_type_strategy(_kind, st.builds(_kind.new))
st.register_type_strategy(float, st.floats(allow_nan=False))
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))


def _is_number(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


@given(st.data())
def test_every_fact_comes_back(data: st.DataObject) -> None:
    fact = data.draw(st.one_of(*(st.builds(kind) for kind in _KINDS.values())))
    stored = json.loads(json.dumps(write_fact(fact), allow_nan=False))
    back = read_fact(stored)
    assert back == fact
    assert type(back) is type(fact)
    assert stored["kind"] == kind_of(fact)


def test_every_kind_of_evidence_has_a_tag() -> None:
    assert set(_KINDS.values()) == set(Evidence.__args__)


def test_a_measure_that_is_no_number_stays_one_that_fails() -> None:
    check = video_check(card(1)[0])
    assert check.liveness is not None
    nan = replace(check, liveness=replace(check.liveness, planarity=math.nan, repeated_frames=math.inf))
    back = read_fact(json.loads(json.dumps(write_fact(nan), allow_nan=False)))
    assert isinstance(back, VideoCheckMeasured)
    assert back.liveness is not None
    assert _is_number(back.liveness.planarity)
    assert back.liveness.repeated_frames == math.inf


@pytest.mark.parametrize(
    "answer", [Pass(), Wait((Reason.HELD,)), Refuse((Reason.UNDER_AGE,)), Review((), True)]
)
def test_every_answer_comes_back(answer: Decision) -> None:
    assert read_answer(json.loads(json.dumps(write_answer(answer)))) == answer


def test_what_is_no_fact_is_refused() -> None:
    with pytest.raises(KeyError):
        read_fact({"kind": "gossip"})
    with pytest.raises(ValidationError):
        read_fact({**write_fact(video_check(None)), "check": "chk_1"})


def test_both_questions_are_asked_of_the_gate() -> None:
    facts = Facts(OrderId.new())
    assert isinstance(Question.MAY_SHIP.ask(facts, POLICY), Wait)
    assert isinstance(Question.MAY_ACTIVATE.ask(facts, POLICY), Wait)
