"""Asking an office outside the case: with a deadline and a ladder of its own, and the stage's clock standing meanwhile.

The clock stands for a bounded time, in all that is asked of one task together; past it the stage goes on counting,
whether the answer has come or not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.authority import Actor, Grant, Involvement, Permission, Seat, deciding_seat
from domain.errors import Forbidden, InvalidInput, NotPossibleNow, Violation
from domain.evidence import EvidenceRef
from domain.pauses import PauseCause
from domain.policy import Policy, StageRule
from domain.supervision import managing_seat
from domain.text import Note
from domain.vocabulary import HUMAN_STAGES, PeerOffice, Stage

ASKING_STAGES: Final = frozenset({*HUMAN_STAGES, Stage.APPEAL, Stage.CONFLICT})
"""Where somebody decides who may have to ask first. An opinion is given on what the office knows, in time."""


class RequestState(StrEnum):
    """What became of a request."""

    OPEN = "open"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    MOVED_ON = "moved_on"


class _Input(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class InformationInput(_Input):
    """What is asked of which kind of office; by `office_id` of one whose people have accounts here."""

    office: PeerOffice
    office_id: UUID | None = None
    question: Note


class AnswerInput(_Input):
    """What the office answers. Whoever records it for the office names its letter, as a file or by its number."""

    text: Note
    letter: EvidenceRef | None = None


class RequestWithdrawalInput(_Input):
    """The question is not asked any more."""


def require_may_ask(policy: Policy, rule: StageRule, *, open_for: Collection[PeerOffice], office: PeerOffice) -> None:
    """Raise NotPossibleNow where this stage asks nobody, or has an open question to that kind of office."""
    if policy.information is None:
        raise NotPossibleNow("The policy of the case knows no questions to other offices.")
    if rule.stage not in ASKING_STAGES or PauseCause.INFORMATION_REQUESTED not in rule.pauses:
        raise NotPossibleNow(f"No other office is asked in {rule.stage.value}.")
    if office in open_for:
        raise NotPossibleNow(
            f"There is an open question to this kind of office ({office.value}).",
            remedy="Wait for its answer, or withdraw it and ask anew.",
        )


def answering_seat(
    actor: Actor,
    *,
    area_code: str,
    office_id: UUID | None,
    stage: Stage,
    grants: Sequence[Grant],
    involvements: Sequence[Involvement],
) -> tuple[Seat, bool]:
    """The seat in which `actor` answers, and whether it is one of the office that was asked.

    Anybody else records the answer as who may decide the task. Raises NotFound, Forbidden, SeparationOfDuties.
    """
    seat = actor.seat_for(Permission.INFORMATION_ANSWER, area_code=area_code)
    asked = [each for each in actor.seats_over(area_code) if each.office_id == office_id and not each.on_leave]
    if asked:
        return next((each for each in asked if Permission.INFORMATION_ANSWER in each.permissions), seat), True
    if Permission.TASKS_WORK not in seat.permissions:
        raise Forbidden("The question was put to another office.")
    own = deciding_seat(actor, area_code=area_code, stage=stage, grants=grants, involvements=involvements)
    return own, False


def withdrawing_seat(
    actor: Actor, *, area_code: str, asked_by: UUID, rule: StageRule, grants: Collection[Grant]
) -> Seat:
    """The seat in which `actor` takes a question back: the asker, or who manages the task.

    Raises NotFound, Forbidden.
    """
    seat = actor.seat_for(Permission.TASKS_WORK, area_code=area_code)
    if actor.user_id == asked_by or actor.holds_for(asked_by, area_code=area_code):
        return seat
    return managing_seat(actor, area_code=area_code, rule=rule, grants=grants)


def require_letter(answer: AnswerInput, *, of_the_office: bool) -> None:
    """Raise InvalidInput where somebody records an answer for an office without its letter."""
    if not of_the_office and answer.letter is None:
        raise InvalidInput(
            [
                Violation(
                    pointer="/letter",
                    code="letter_missing",
                    detail="An answer that is recorded for an office rests on its letter.",
                    remedy="Name the letter as an uploaded file, or by its number.",
                )
            ]
        )


def words_of_answer(answer: AnswerInput) -> str:
    """What is kept of the answer: the number of the letter comes before what it says."""
    if answer.letter is None or answer.letter.reference is None:
        return answer.text
    return f"({answer.letter.reference}) {answer.text}"
