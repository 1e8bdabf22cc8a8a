"""Minutes of a village deliberation (berita acara musdes), or the SPTJM where none was held: one paper, many cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.household import VillageCode
from domain.policy import MinutesRule
from domain.text import IsoDate, Note, PersonName, ShortText
from domain.vocabulary import AttendanceGroup, MinutesType, Outcome, ReasonCode, Role

MOST_CASES: Final = 500
"""The most cases that one paper decides."""


class CaseResult(StrEnum):
    """What came of one case that minutes list."""

    DECIDED = "decided"
    STANDS = "stands"
    ALREADY_DECIDED = "already_decided"
    NOT_IN_DELIBERATION = "not_in_deliberation"
    CASE_CLOSED = "case_closed"
    REFUSED = "refused"


class _Paper(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Attendance(_Paper):
    """How many of a group attended, and how many of them are women."""

    group: AttendanceGroup
    present: Annotated[int, Field(ge=0, le=100_000)]
    women: Annotated[int, Field(ge=0, le=100_000)] | None = None


class Signature(_Paper):
    """Who signed the paper, and as what."""

    role: Role
    name: PersonName


class ListedCase(_Paper):
    """What the village decides about one case."""

    update_id: UUID
    outcome: Outcome
    reason: ReasonCode | None = None


class MinutesInput(_Paper):
    """A paper as it is recorded.

    Minutes of a musdes say where it was held and who attended; an SPTJM says why none was. `covers` is `village` for
    an SPTJM that answers for every case of the village submitted by its day; then no cases are listed.
    """

    area_code: VillageCode
    type: MinutesType
    number: ShortText
    held_on: IsoDate = Field(description="The day of the musdes, or on which the SPTJM was signed")
    place: ShortText | None = None
    attendance: Annotated[tuple[Attendance, ...], Field(max_length=20)] = ()
    signed_by: Annotated[tuple[Signature, ...], Field(max_length=10)]
    scan: UUID | None = Field(default=None, description="Id of the uploaded scan of the signed paper")
    why_none_held: Note | None = None
    covers: Literal["listed", "village"] = "listed"
    cases: Annotated[tuple[ListedCase, ...], Field(max_length=MOST_CASES)] = ()
    supersedes: UUID | None = Field(default=None, description="The record that this one corrects")
    correction: Note | None = Field(default=None, description="What was wrong with the record that it corrects")


class PaperWords(_Paper):
    """What of a paper is kept sealed: names, and what somebody wrote in their own words."""

    place: ShortText | None = None
    signed_by: tuple[Signature, ...]
    why_none_held: Note | None = None
    correction: Note | None = None

    @classmethod
    def of(cls, paper: MinutesInput) -> PaperWords:
        """Those of a paper that is being recorded."""
        return cls(
            place=paper.place,
            signed_by=paper.signed_by,
            why_none_held=paper.why_none_held,
            correction=paper.correction,
        )


class HeldMinutes(NamedTuple):
    """A recorded paper as the decision of one case is judged by it.

    `covers_case` is whether it answers for all of the village and the case was submitted by its day; `outcome` what it
    lists for the case, None for nothing.
    """

    id: UUID
    type: MinutesType
    number: str
    held_on: date
    superseded_by: UUID | None
    covers_case: bool
    outcome: Outcome | None


class CaseFacts(NamedTuple):
    """A case of the village as far as a paper is judged by it; `submitted_on` is the day in the village."""

    submitted_on: date


class PaperFacts(NamedTuple):
    """What is known when a paper is recorded: the day in the village, its listed cases, who has the number already."""

    today: date
    cases: Mapping[UUID, CaseFacts]
    number_taken_by: UUID | None


def paper_context(minutes_id: UUID) -> str:
    """Where the sealed words of a paper belong."""
    return f"minutes.words:{minutes_id}"


def missing_from(attendance: Sequence[Attendance], rule: MinutesRule) -> dict[AttendanceGroup, int]:
    """How many of each group are missing from the quorum; empty when there is one."""
    present = Counter[AttendanceGroup]()
    for each in attendance:
        present[each.group] += each.present
    short = {quorum.group: quorum.at_least - present[quorum.group] for quorum in rule.quorum}
    return {group: missing for group, missing in short.items() if missing > 0}
