"""How a policy comes about: drafted, shown to the tiers below, answered for, and published by somebody else.

1. A draft is on show, as it is, for the whole time that the policy in force names. An amendment is shown anew.
2. While it is, whoever works in its area may comment. The office that drafted it answers every comment.
3. Whoever publishes has written none of it: by person, whichever account they used and for whomever they stood in.
4. It has to build on the version that comes last in its area, so that nobody's changes are undone unseen.
5. In an emergency it is published at once, for a bounded time, and still by somebody else. The consultation opens then,
   and publishing the draft after it confirms the emergency. Otherwise the version before it is in force again by
   itself. How policies are published and how long data are kept is never changed in an emergency, and no emergency
   follows on another one.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue

from domain.authority import Person
from domain.disclosure import without_numbers
from domain.errors import ConsultationIncomplete, DraftOutdated, NotPossibleNow, SeparationOfDuties
from domain.policy import Policy
from domain.provenance import Bilingual
from domain.text import Note

Remark = Annotated[Note, AfterValidator(without_numbers)]
"""What somebody says about a policy. It is kept for good and read by every tier, so it names no person by number."""


class DraftStatus(StrEnum):
    """Where a draft stands."""

    WRITTEN = "written"
    IN_CONSULTATION = "in_consultation"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


OPEN_STATUSES: Final = frozenset({DraftStatus.WRITTEN, DraftStatus.IN_CONSULTATION})


class CommentVerdict(StrEnum):
    """What the office that drafted says of a comment."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOTED = "noted"


class EmergencyReason(StrEnum):
    """Why a policy cannot wait for its consultation. "Other" is not a reason."""

    DISASTER = "disaster"
    COURT_RULING = "court_ruling"
    LAW_CHANGED = "law_changed"
    HOUSEHOLDS_HARMED = "households_harmed"
    CASES_STUCK = "cases_stuck"


EMERGENCIES: Final = {
    EmergencyReason.DISASTER: Bilingual(id="Bencana", en="A disaster"),
    EmergencyReason.COURT_RULING: Bilingual(id="Putusan pengadilan", en="A ruling of a court"),
    EmergencyReason.LAW_CHANGED: Bilingual(
        id="Peraturan yang lebih tinggi berubah", en="A law or regulation above it has changed"
    ),
    EmergencyReason.HOUSEHOLDS_HARMED: Bilingual(
        id="Kebijakan yang berlaku merugikan keluarga", en="The policy in force does harm to households"
    ),
    EmergencyReason.CASES_STUCK: Bilingual(
        id="Usulan tidak dapat diputuskan dengan kebijakan yang berlaku",
        en="Cases cannot be decided under the policy in force",
    ),
}
"""Every reason in words."""


class Turn(StrEnum):
    """What becomes of a published version."""

    TOOK_EFFECT = "took_effect"
    LAPSED = "lapsed"
    REVOKED = "revoked"


class Standing(BaseModel):
    """A draft as it is when somebody acts on it; a snapshot. `unanswered` are comments, `authors` accounts."""

    model_config = ConfigDict(frozen=True)

    status: DraftStatus
    base_id: UUID
    effective_from: datetime | None = None
    closes_at: datetime | None = None
    unanswered: tuple[UUID, ...] = ()
    authors: frozenset[UUID] = frozenset()
    emergency_id: UUID | None = None


class Line(BaseModel):
    """The version that comes last in the area of a draft, be it in force or yet to take effect."""

    model_config = ConfigDict(frozen=True)

    last_id: UUID
    last_effective_at: datetime


class Missing(BaseModel):
    """One thing that keeps a draft from being published."""

    model_config = ConfigDict(frozen=True)

    code: str
    detail: str
    until: datetime | None = None
    comments: tuple[UUID, ...] = ()


def check_open(standing: Standing) -> None:
    """That the draft may still be worked on. Raises NotPossibleNow."""
    if standing.status not in OPEN_STATUSES:
        raise NotPossibleNow(
            f"The draft has been {standing.status.value}.",
            remedy="Make a new draft.",
            data={"status": standing.status.value},
        )


def check_may_open(standing: Standing) -> None:
    """That the consultation may be opened. Raises NotPossibleNow."""
    check_open(standing)
    if standing.status is DraftStatus.IN_CONSULTATION:
        raise NotPossibleNow("The consultation has been opened.", remedy="Amend the draft to have it shown anew.")


def check_may_comment(standing: Standing, *, now: datetime) -> None:
    """That comments are taken `now`. Raises NotPossibleNow."""
    check_open(standing)
    if standing.closes_at is None:
        raise NotPossibleNow("The consultation has not been opened.", remedy="Wait until the draft is shown.")
    if now >= standing.closes_at:
        raise NotPossibleNow(
            "The time for comments is over.",
            remedy="Ask the office that drafted it to amend it: it is then shown anew.",
            data={"closed_at": standing.closes_at.isoformat()},
        )


def check_second_eyes(standing: Standing, *, by: Person, lender: Person | None) -> None:
    """That whoever publishes has written none of the draft, nor stands in for an author. Raises SeparationOfDuties."""
    for person, who in ((by, "You have"), (lender, "The person you stand in for has")):
        if person is not None and any(person.has(author) for author in standing.authors):
            raise SeparationOfDuties(
                f"{who} written of this draft; somebody else has to publish it.",
                remedy="Ask another person who may publish policies here.",
            )


def missing(standing: Standing, line: Line, *, now: datetime) -> list[Missing]:
    """What is missing before the draft may be published `now`; empty when nothing is."""
    found: list[Missing] = []
    if standing.closes_at is None:
        found.append(Missing(code="consultation_not_opened", detail="The draft has not been shown to anybody."))
    elif now < standing.closes_at:
        found.append(
            Missing(code="consultation_running", detail="The time for comments runs.", until=standing.closes_at),
        )
    if standing.unanswered:
        detail = f"{len(standing.unanswered)} comment(s) have no answer."
        found.append(Missing(code="comments_unanswered", detail=detail, comments=standing.unanswered))
    begins = max(standing.effective_from or now, now)
    if begins < line.last_effective_at:
        detail = "The version before it takes effect later than the draft would."
        found.append(Missing(code="takes_effect_too_early", detail=detail, until=line.last_effective_at))
    return found


def check_may_publish(standing: Standing, line: Line, *, now: datetime) -> None:
    """That the draft may be published `now`. Raises NotPossibleNow, DraftOutdated, ConsultationIncomplete."""
    check_open(standing)
    check_base(standing, line)
    lacking = missing(standing, line, now=now)
    if lacking:
        told: list[JsonValue] = [item.model_dump(mode="json", exclude_none=True) for item in lacking]
        raise ConsultationIncomplete(" ".join(item.detail for item in lacking), data={"missing": told})


def check_base(standing: Standing, line: Line) -> None:
    """That the draft builds on what comes last, or has itself been put in force meanwhile. Raises DraftOutdated."""
    if line.last_id not in {standing.base_id, standing.emergency_id}:
        raise outdated(line.last_id)


def outdated(newest: UUID) -> DraftOutdated:
    """The refusal of a draft that builds on another version than this one."""
    return DraftOutdated(
        "The draft builds on a version that no longer comes last in its area.",
        data={"based_on": str(newest)},
    )


def check_emergency(standing: Standing, *, draft: Policy, in_force: Policy, ends_at: datetime | None) -> None:
    """That the draft may be put in force at once; `ends_at` is when the policy in force does. Raises NotPossibleNow."""
    check_open(standing)
    if standing.emergency_id is not None:
        raise NotPossibleNow(
            "The draft has been put in force in an emergency once.",
            remedy="Confirm it: publish the draft after its consultation.",
        )
    if ends_at is not None:
        raise NotPossibleNow(
            "The policy in force was itself published in an emergency, and none follows on another.",
            remedy="Confirm that one after its consultation, or revoke it first.",
            data={"ends_at": ends_at.isoformat()},
        )
    if draft.publication != in_force.publication:
        raise NotPossibleNow(
            "How policies are published is never changed in an emergency.",
            remedy="Leave `publication` as it is in the policy in force.",
        )
    if draft.retention != in_force.retention:
        raise NotPossibleNow(
            "Periods of retention are never changed in an emergency: what is erased does not come back when it lapses.",
            remedy="Leave `retention` as it is in the policy in force.",
        )
