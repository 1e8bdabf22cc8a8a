"""How the plan of a village comes about: which step follows which, over every step and act there is."""

from __future__ import annotations

from datetime import date
from itertools import product
from uuid import uuid4

import pytest

from domain.rounds import Days
from domain.signoffs import (
    ACTS_OF_STEP,
    PARTY_OF_STEP,
    Agree,
    Next,
    Propose,
    Signed,
    SignoffStep,
    check_terms,
    next_step,
    other_party,
)

PROPOSAL, PUSKESOS, DINAS = SignoffStep.PROPOSAL, SignoffStep.PUSKESOS, SignoffStep.DINAS
ANSWER, RULING = SignoffStep.ANSWER, SignoffStep.RULING
WINDOW = Days(opens=date(2026, 12, 1), closes=date(2026, 12, 10))


def test_three_signatures_determine_the_plan() -> None:
    assert next_step(PROPOSAL, "propose") == Next(PUSKESOS)
    assert next_step(PUSKESOS, "agree") == Next(DINAS)
    assert next_step(DINAS, "agree") is None


@pytest.mark.parametrize(("objecting", "after"), [(PUSKESOS, Next(DINAS)), (DINAS, None)])
def test_an_objection_is_answered_and_decided_in_the_place_of_the_signature(
    objecting: SignoffStep, after: Next | None
) -> None:
    assert next_step(objecting, "object") == Next(ANSWER, objecting)
    for act in ("answer", None):
        assert next_step(ANSWER, act, contested=objecting) == Next(RULING, objecting)
    assert next_step(RULING, "decide", contested=objecting) == after


@pytest.mark.parametrize("acts", list(product(("agree", "object"), repeat=2)))
def test_every_way_ends_with_the_word_of_each_office(acts: tuple[str, str]) -> None:
    words: dict[SignoffStep, str] = dict(zip((PUSKESOS, DINAS), acts, strict=True))
    at: Next | None = Next(PROPOSAL)
    passed: list[SignoffStep] = []
    while at is not None:
        passed.append(at.step)
        act = words.get(at.step) or min(ACTS_OF_STEP[at.step])
        at = next_step(at.step, act, contested=at.contested)
    assert passed[0] is PROPOSAL
    assert [step for step in passed if step in words] == [PUSKESOS, DINAS]
    assert passed.count(RULING) == passed.count(ANSWER) == acts.count("object")


@pytest.mark.parametrize(("signed", "step"), list(product(SignoffStep, repeat=2)))
def test_nobody_signs_for_two_parties(signed: SignoffStep, step: SignoffStep) -> None:
    one, another = uuid4(), uuid4()
    barred = other_party(step, [one], [Signed(signed, (another, one))])
    assert (barred is None) == (PARTY_OF_STEP[signed] == PARTY_OF_STEP[step])
    assert other_party(step, [one], [Signed(signed, (another,))]) is None


def test_terms_stay_within_the_list_and_the_window() -> None:
    good = Propose(act="propose", target=5, musdes_on=date(2026, 12, 10))
    assert check_terms(good, listed=5, window=WINDOW) == []
    wrong = Propose(act="propose", target=6, musdes_on=date(2026, 12, 11))
    found = check_terms(wrong, listed=5, window=WINDOW)
    assert [(each.pointer, each.code) for each in found] == [
        ("/target", "past_the_list"),
        ("/musdes_on", "outside_window"),
    ]
    assert check_terms(Agree(act="agree"), listed=0, window=WINDOW) == []
