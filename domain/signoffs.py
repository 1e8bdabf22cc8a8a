"""How the plan of a village comes about from below: it proposes, PUSKESOS and Dinas Sosial agree or object.

A step is open until somebody signs it. An objection is answered by the village, and then decided by somebody outside
both offices, with both opinions before them; what was decided stands in the place of the signature that was refused.
Three signatures determine the plan: the village's, that of PUSKESOS, that of Dinas Sosial. All of it is a proposal and
not law.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Final, Literal, NamedTuple, TypeAlias, assert_never
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, Strict

from domain.durations import INTEGRAL
from domain.errors import Violation
from domain.provenance import Bilingual
from domain.rounds import Days
from domain.text import IsoDate, Note


class SignoffStep(StrEnum):
    """Whose word the plan of a village waits for."""

    PROPOSAL = "proposal"
    PUSKESOS = "puskesos"
    DINAS = "dinas"
    ANSWER = "answer"
    RULING = "ruling"


STEP_WORDS: Final = {
    SignoffStep.PROPOSAL: Bilingual(id="Usulan desa", en="The village proposes"),
    SignoffStep.PUSKESOS: Bilingual(id="Persetujuan PUSKESOS", en="PUSKESOS agrees or objects"),
    SignoffStep.DINAS: Bilingual(id="Persetujuan Dinas Sosial", en="Dinas Sosial agrees or objects"),
    SignoffStep.ANSWER: Bilingual(id="Tanggapan desa atas keberatan", en="The village answers the objection"),
    SignoffStep.RULING: Bilingual(id="Keputusan atas keberatan", en="The objection is decided"),
}
"""Every step in words."""


class ObjectionReason(StrEnum):
    """Why an office objects to what a village proposes. "Other" is not a code."""

    TARGET_TOO_LOW = "target_too_low"
    TARGET_TOO_HIGH = "target_too_high"
    RISKIEST_LEFT_OUT = "riskiest_left_out"
    HAMLET_LEFT_OUT = "hamlet_left_out"
    MUSDES_TOO_EARLY = "musdes_too_early"
    MUSDES_TOO_LATE = "musdes_too_late"


class _Act(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Terms(_Act):
    """So many of the list are verified again, and the musdes is held on this day."""

    target: Annotated[
        int, Strict(), Field(ge=0, le=100_000, description="The first so many of the work list"), INTEGRAL
    ]
    musdes_on: IsoDate = Field(description="A day in the musdes window of the round")


class Propose(_Terms):
    """The village says what it will do."""

    act: Literal["propose"]
    note: Note | None = None


class Agree(_Act):
    """The office signs what was proposed."""

    act: Literal["agree"]
    note: Note | None = None


class Object(_Terms):
    """The office would have it otherwise, for a reason."""

    act: Literal["object"]
    reason: ObjectionReason
    opinion: Note


class AnswerObjection(_Act):
    """The village says why it had proposed so."""

    act: Literal["answer"]
    opinion: Note


class Decide(_Terms):
    """Somebody outside both offices decides what holds."""

    act: Literal["decide"]
    opinion: Note


Signing: TypeAlias = Annotated[Propose | Agree | Object | AnswerObjection | Decide, Field(discriminator="act")]

ACTS_OF_STEP: Final = {
    SignoffStep.PROPOSAL: frozenset({"propose"}),
    SignoffStep.PUSKESOS: frozenset({"agree", "object"}),
    SignoffStep.DINAS: frozenset({"agree", "object"}),
    SignoffStep.ANSWER: frozenset({"answer"}),
    SignoffStep.RULING: frozenset({"decide"}),
}
"""How each step may be signed."""

ACTS: Final = frozenset[str]().union(*ACTS_OF_STEP.values())

PARTY_OF_STEP: Final = {
    SignoffStep.PROPOSAL: "village",
    SignoffStep.ANSWER: "village",
    SignoffStep.PUSKESOS: "puskesos",
    SignoffStep.DINAS: "dinas",
    SignoffStep.RULING: "decider",
}
"""For whom a step is signed: nobody signs for two."""


class Next(NamedTuple):
    """The step that follows; `contested` is the one that an objection stands in the way of."""

    step: SignoffStep
    contested: SignoffStep | None = None


def next_step(step: SignoffStep, act: str | None, *, contested: SignoffStep | None = None) -> Next | None:
    """What follows when a step was signed by `act`, or passed in silence (None, of an answer); None: determined."""
    match step:
        case SignoffStep.PROPOSAL:
            return Next(SignoffStep.PUSKESOS)
        case SignoffStep.PUSKESOS | SignoffStep.DINAS:
            return Next(SignoffStep.ANSWER, step) if act == "object" else _after(step)
        case SignoffStep.ANSWER:
            return Next(SignoffStep.RULING, contested)
        case SignoffStep.RULING:
            return _after(contested or SignoffStep.DINAS)
        case _:
            assert_never(step)


def _after(signed: SignoffStep) -> Next | None:
    return Next(SignoffStep.DINAS) if signed is SignoffStep.PUSKESOS else None


class Signed(NamedTuple):
    """That an account signed a step, for itself or for somebody on leave."""

    step: SignoffStep
    user_ids: tuple[UUID, ...]


def other_party(step: SignoffStep, accounts: Iterable[UUID], signed: Iterable[Signed]) -> SignoffStep | None:
    """The step in which one of these accounts has signed for another party; None where it may sign this one."""
    own = set(accounts)
    return next(
        (
            each.step
            for each in signed
            if PARTY_OF_STEP[each.step] != PARTY_OF_STEP[step] and not own.isdisjoint(each.user_ids)
        ),
        None,
    )


def check_terms(signing: Signing, *, listed: int, window: Days) -> list[Violation]:
    """Everything wrong with a target and a day for a village with so long a list, in this musdes window."""
    if isinstance(signing, Agree | AnswerObjection):
        return []
    found: list[Violation] = []
    if signing.target > listed:
        detail = f"The work list of the village has {listed} households."
        found.append(
            Violation(pointer="/target", code="past_the_list", detail=detail, remedy=f"Name {listed} or fewer.")
        )
    if not window.opens <= signing.musdes_on <= window.closes:
        detail = f"The musdes window of the round is from {window.opens} to {window.closes}."
        found.append(Violation(pointer="/musdes_on", code="outside_window", detail=detail, remedy="Name a day in it."))
    return found
