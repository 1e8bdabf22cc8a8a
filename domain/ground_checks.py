"""Ground checks of a case: what asks for one, the draw, and what a report from the field has to say."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, NamedTuple, assert_never
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.authority import Actor, Grant, Involvement, Seat, deciding_seat
from domain.circumstances import Address, Circumstances
from domain.disputes import Answer
from domain.errors import Forbidden, GroundCheckAwaited, NotPossibleNow, Violation
from domain.evidence import Capture
from domain.places import Place, Standpoint, distance_m
from domain.policy import (
    BY_HAND,
    MILLION,
    DrawTrigger,
    GroundChecksRule,
    KindTrigger,
    ReturnTrigger,
    StageRule,
    Trigger,
    ValueTrigger,
)
from domain.supervision import managing_seat
from domain.text import Note
from domain.vocabulary import GroundCheckReason, GroundOutcome, Kind, Outcome, Stage

_DRAW: Final = b"kawal.ground-check.v1\0"
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""By so much the clock of a phone may be wrong."""
_WAS_THERE: Final = frozenset({GroundOutcome.FOUND_AS_REPORTED, GroundOutcome.DIFFERS})


class _Input(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class GroundCheckOrder(_Input):
    """Why somebody is to look in the field before the task is decided."""

    reason: GroundCheckReason
    note: Note | None = None


class Observed(_Input):
    """How it is, where it is not as it was reported: only what differs."""

    circumstances: Circumstances = Circumstances()
    address: Address = Address()

    def differences(self) -> dict[str, object]:
        """What differs, by its pointer in the household."""
        groups = {"circumstances": self.circumstances, "address": self.address}
        return {
            f"/{group}/{name}": value for group, facts in groups.items() for name, value in facts if value is not None
        }


class GroundReportInput(_Input):
    """What was found in the field: where and when somebody stood there, with photos that were uploaded before."""

    outcome: GroundOutcome
    observed: Observed | None = Field(default=None, description="Only for `differs`")
    note: Note | None = None
    coordinates: Standpoint
    seen_at: AwareDatetime
    photos: Annotated[tuple[UUID, ...], Field(max_length=10)] = ()

    @property
    def differs(self) -> list[str]:
        """The fields that differ."""
        return [] if self.observed is None else sorted(self.observed.differences())


class PhotoPlace(BaseModel):
    """How far from where somebody reports to have stood a photo says that it was taken, in metres; by its own data.

    With `source` `device`, by what the uploading device said of it. A difference is shown, and nothing follows from it.
    """

    model_config = ConfigDict(frozen=True)

    photo: UUID
    distance_m: float
    source: Literal["photo", "device"]


class GroundContent(BaseModel):
    """What of a report is sealed: it shows where people live and how. `distance_m` is from the reference `point`.

    `photo_places` are of those photos that say where they were taken.
    """

    model_config = ConfigDict(frozen=True)

    coordinates: Standpoint
    seen_at: datetime
    observed: Observed | None = None
    note: str | None = None
    distance_m: float | None = None
    point: UUID | None = None
    photo_places: tuple[PhotoPlace, ...] = ()


class ReferencePoint(NamedTuple):
    """Where a village is known to be."""

    id: UUID
    place: Place


class FiledCheck(NamedTuple):
    """A ground check that was reported on: what had asked for it, before which stage, about which revision."""

    gates: Stage
    triggers: frozenset[str]
    revision: int


class Proposal(NamedTuple):
    """What of a case asks for a ground check."""

    update_id: UUID
    policy_version_id: UUID
    kind: Kind
    revision: int


class Draw(NamedTuple):
    """A draw in millionths; it is drawn below `share`."""

    number: int
    share: int

    @property
    def drawn(self) -> bool:
        """Whether the case is looked at."""
        return self.number < self.share


def draw_for(proposal: Proposal, trigger: DrawTrigger) -> Draw:
    """The draw of a case before a stage: HMAC-SHA256 of its id, under the id of the policy version.

    Whoever draws again, after a crash or years later, draws the same.
    """
    message = _DRAW + trigger.gates.value.encode() + b"\0" + proposal.update_id.bytes
    digest = hmac.digest(proposal.policy_version_id.bytes, message, "sha256")
    return Draw(int.from_bytes(digest[:8]) * MILLION >> 64, trigger.millionths)


def possible_triggers(rule: GroundChecksRule, gate: Stage, proposal: Proposal) -> tuple[Trigger, ...]:
    """The triggers before a stage that ask, or may ask once more is read of the case than its row."""
    return tuple(trigger for trigger in rule.of_gate(gate) if _possible(trigger, proposal))


def _possible(trigger: Trigger, proposal: Proposal) -> bool:
    match trigger:
        case KindTrigger():
            return proposal.kind in trigger.kinds
        case DrawTrigger():
            return draw_for(proposal, trigger).drawn
        case ReturnTrigger():
            return proposal.revision > trigger.times
        case ValueTrigger():
            return True
        case _:
            assert_never(trigger)


def asking(
    triggers: Iterable[Trigger],
    *,
    proposed: Circumstances | None,
    answers: Collection[Answer],
    filed: Collection[FiledCheck],
    revision: int,
) -> frozenset[str]:
    """What asks for a check that has not been made, of `triggers` that are possible; empty when nothing does.

    What was looked at once is not looked at again for the same cause, but a return asks anew for each repair.
    """
    asked = set[str]()
    for trigger in triggers:
        made = [check for check in filed if check.gates is trigger.gates and trigger.key in check.triggers]
        match trigger:
            case ValueTrigger():
                asks = not made and trigger.met_by(getattr(proposed, trigger.field, None))
            case ReturnTrigger():
                asks = all(check.revision < revision for check in made) and _returned(trigger, answers)
            case KindTrigger() | DrawTrigger():
                asks = not made
            case _:
                assert_never(trigger)
        if asks:
            asked.add(trigger.key)
    return frozenset(asked)


def _returned(trigger: ReturnTrigger, answers: Collection[Answer]) -> bool:
    returns = [
        answer
        for answer in answers
        if answer.outcome is Outcome.RETURN and answer.stage in trigger.returned_by and answer.reason in trigger.reasons
    ]
    return len(returns) >= trigger.times


def requesting_seat(
    actor: Actor,
    *,
    area_code: str,
    rule: StageRule,
    grants: Sequence[Grant],
    involvements: Sequence[Involvement],
) -> Seat:
    """The seat in which `actor` may ask for a ground check: who could decide the task, or manages it.

    Raises as `deciding_seat` does.
    """
    try:
        return deciding_seat(actor, area_code=area_code, stage=rule.stage, grants=grants, involvements=involvements)
    except Forbidden as refusal:
        try:
            return managing_seat(actor, area_code=area_code, rule=rule, grants=grants)
        except Forbidden:
            raise refusal from None


def require_requestable(
    rule: GroundChecksRule | None, stage: Stage, *, filed: Collection[FiledCheck], revision: int
) -> None:
    """Raise NotPossibleNow where an officer of `stage` may not ask for a check: once for each revision."""
    if rule is None or stage not in rule.on_request:
        named = "none" if rule is None else ", ".join(sorted(rule.on_request)) or "none"
        raise NotPossibleNow(
            f"The policy sends nobody to the field on request of {stage.value}.",
            remedy=f"Decide on what there is; stages that may ask: {named}.",
        )
    if any(check.gates is stage and BY_HAND in check.triggers and check.revision == revision for check in filed):
        raise NotPossibleNow(
            "Somebody has looked in the field at your stage's request since the update was last sent in.",
            remedy="Decide on what was found; ask again once it has been repaired.",
        )


def awaited(stage: Stage | None) -> GroundCheckAwaited:
    """The refusal of a decision while somebody is still to report from the field before `stage` decides."""
    before = "the next stage" if stage is None else stage.value
    return GroundCheckAwaited(f"Before {before} decides, somebody who has not touched the case looks in the field.")


def check_report(
    report: GroundReportInput, *, rule: GroundChecksRule, asked_at: datetime, now: datetime
) -> list[Violation]:
    """Everything that keeps this report from being filed, the files themselves apart; empty when nothing does."""
    return [*_check_place(report), *_check_time(report, asked_at=asked_at, now=now), *_check_found(report, rule=rule)]


def _check_place(report: GroundReportInput) -> Iterator[Violation]:
    if not report.coordinates.in_indonesia:
        yield outside_indonesia("/coordinates")


def outside_indonesia(pointer: str) -> Violation:
    """What is wrong with a place that lies elsewhere."""
    return Violation(
        pointer=pointer,
        code="outside_indonesia",
        detail="This place lies outside Indonesia.",
        remedy="Give degrees by WGS 84: near Taraju latitude -7.4 and longitude 107.9, not the other way round.",
    )


def _check_time(report: GroundReportInput, *, asked_at: datetime, now: datetime) -> Iterator[Violation]:
    if report.seen_at > now + _CLOCKS_DIFFER:
        yield Violation(
            pointer="/seen_at",
            code="seen_in_future",
            detail="This moment has not come yet.",
            remedy="Give the time at which you were there, with its zone: `+07:00` in western Indonesia.",
        )
    if report.seen_at < asked_at - _CLOCKS_DIFFER:
        yield Violation(
            pointer="/seen_at",
            code="seen_before_asked",
            detail="This was before the ground check was asked for.",
            remedy="Go and look now; an earlier visit does not answer what was asked since.",
        )


def _check_found(report: GroundReportInput, *, rule: GroundChecksRule) -> Iterator[Violation]:
    if report.outcome is GroundOutcome.DIFFERS and not report.differs and report.note is None:
        yield Violation(
            pointer="/observed",
            code="difference_missing",
            detail="It is not said what differs.",
            remedy="Give in `observed` the values that you saw, or say in `note` what is otherwise.",
        )
    if report.outcome is not GroundOutcome.DIFFERS and report.observed is not None:
        yield Violation(
            pointer="/observed",
            code="difference_not_expected",
            detail=f"A report of {report.outcome.value} names no values.",
            remedy="Leave `observed` out, or report `differs`.",
        )
    if report.outcome not in _WAS_THERE and report.note is None:
        yield Violation(
            pointer="/note",
            code="note_missing",
            detail="It is not said whom you asked, or what they said.",
            remedy="Say it in `note`: neighbours, the head of the RT, and what they know.",
        )
    if report.outcome in _WAS_THERE and len(set(report.photos)) < rule.photos:
        yield Violation(
            pointer="/photos",
            code="photos_missing",
            detail=f"The policy asks for {rule.photos} photo(s) of a household that was found.",
            remedy="Upload them as `house_photo` (POST /v1/evidence/uploads), and name their ids.",
        )


def content_of(
    report: GroundReportInput, *, point: ReferencePoint | None, captures: Mapping[UUID, Capture]
) -> GroundContent:
    """What is sealed of a report, with how far from the village it was made, where that is known to be anywhere.

    `captures` is what its photos say of where they were taken, by their ids.
    """
    return GroundContent(
        coordinates=report.coordinates,
        seen_at=report.seen_at,
        observed=report.observed,
        note=report.note,
        distance_m=None if point is None else round(distance_m(point.place, report.coordinates)),
        point=None if point is None else point.id,
        photo_places=tuple(_photo_places(report, captures)),
    )


def _photo_places(report: GroundReportInput, captures: Mapping[UUID, Capture]) -> Iterator[PhotoPlace]:
    for photo in dict.fromkeys(report.photos):
        taken = captures[photo].coordinates if photo in captures else None
        if taken is not None:
            place = Place(latitude=taken.latitude, longitude=taken.longitude)
            away = round(distance_m(report.coordinates, place))
            yield PhotoPlace(photo=photo, distance_m=away, source=taken.source)


def is_far(content: GroundContent, rule: GroundChecksRule) -> bool | None:
    """Whether it was reported from farther off than the policy takes for granted; None where nobody knows."""
    return None if content.distance_m is None else content.distance_m > rule.far_m


def report_context(report_id: UUID) -> str:
    """Where the sealed content of a report belongs."""
    return f"ground_reports.content:{report_id}"


def check_note_context(check_id: UUID) -> str:
    """Where the sealed note of whoever asked for a check belongs."""
    return f"ground_checks.note:{check_id}"
