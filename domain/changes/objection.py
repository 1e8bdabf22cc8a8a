"""Sanggahan: somebody says that what the registry believes of a household is not so."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, TypeVar

from pydantic import BaseModel, Field

from domain.changes.base import ChangeBase, Effect, IdentityExpectation, KindSpec, SubmissionContext
from domain.changes.circumstances import circumstance_edits
from domain.changes.programme_change import expect_members
from domain.circumstances import Circumstances
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household
from domain.text import Note, PersonName, ShortText
from domain.vocabulary import Kind

AnyChange = TypeVar("AnyChange", bound=ChangeBase)


class Ground(StrEnum):
    """What is said to be wrong."""

    BETTER_OFF = "better_off"
    WORSE_OFF = "worse_off"
    EXCLUDED_OCCUPATION = "excluded_occupation"
    NOT_LIVING_HERE = "not_living_here"
    FALSE_STATEMENT = "false_statement"


class Objector(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    """Who objects, and how to reach them. Sealed below the social affairs office: neighbours have been threatened."""

    name: PersonName = Field(repr=False)
    contact: ShortText | None = Field(default=None, repr=False)


class Objection(ChangeBase, frozen=True):
    """What is wrong, in a code and in words; as what it should stand, where that can be said.

    Without an objector it is the household's own.
    """

    kind: Literal[Kind.OBJECTION] = Kind.OBJECTION
    ground: Ground
    statement: Note = Field(repr=False)
    objector: Objector | None = Field(default=None, repr=False)
    circumstances: Circumstances | None = None


def check(change: Objection, context: SubmissionContext) -> list[Violation]:
    """Nothing beyond its form: whether it is so is what the case is about."""
    del change, context
    return []


def effect(change: Objection, base: Household | None) -> Effect:
    """The facts stand as it says; somebody has looked at all of them, so that their age begins anew."""
    del base
    return Effect(edits=circumstance_edits(change.circumstances), verifies=True)


def expectations(change: Objection, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """The head of the household that it is about."""
    del change
    return expect_members((), base)


def without_objector(change: AnyChange) -> AnyChange:
    """The change for those from whom the objector is sealed: the statement, and not whose it is."""
    return change.model_copy(update={"objector": None}) if isinstance(change, Objection) else change


SPEC = KindSpec(
    kind=Kind.OBJECTION,
    model=Objection,
    needs_household=True,
    evidence=(frozenset({EvidenceType.HOUSE_PHOTO}),),
    check=check,
    effect=effect,
    expectations=expectations,
)
