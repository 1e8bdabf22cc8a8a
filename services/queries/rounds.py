"""Reading rounds: their calendars with days left, how each came to say what it says, and what counts for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, and_, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, RoundTerms, Task, Update, UpdateRound
from db.repositories.people import ancestry
from db.repositories.rounds import dates_of, latest_rounds, round_of
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.calendar import ONE_DAY, ClosedCategory, ClosedDay, WorkingCalendar
from domain.errors import NotFound
from domain.rounds import RescheduleReason, Round, RoundDates, RoundState, days_left, state_of
from domain.vocabulary import Role, Stage
from services.kawal import Kawal
from services.queries.cutoff import missing_cutoff, read_outlook
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.scope import within
from services.queries.view import AreaRef, OfficeRef, PersonRef, Text, View
from services.queries.who import read_who

_FIGURES: Final = text("SELECT * FROM kawal_round_figures(:round_id)")

_WORDS: Final = {
    "opens": Text(id="Periode dibuka", en="The round opens"),
    "input_opens": Text(id="Masa pengajuan mulai", en="Input begins"),
    "input_closes": Text(id="Masa pengajuan berakhir", en="Input ends"),
    "musdes_opens": Text(id="Masa musdes mulai", en="Musdes begin"),
    "musdes_closes": Text(id="Masa musdes berakhir", en="Musdes end"),
    "cut_off": Text(id="Batas periode", en="Cut-off"),
    "publishes": Text(id="Penetapan diumumkan", en="Publication"),
}
"""What happens on each day of a round."""


class Milestone(View):
    """A day of a round, and how far off it is."""

    code: str
    words: Text
    day: date
    days_left: int = Field(description="Days from today in the regency; negative once it is past")
    working_days_left: int


class Closure(View):
    """A day in the round on which the offices are closed, weekends left out."""

    day: date
    name: str
    category: ClosedCategory


class RoundView(View):
    """A round with its calendar."""

    id: UUID
    version: int
    area: AreaRef
    period: str
    state: RoundState
    dates: RoundDates
    opens_at: datetime
    cutoff_at: datetime
    zone: str = Field(description="In whose time the days are")
    milestones: tuple[Milestone, ...] = Field(description="Its days in order")
    closures: tuple[Closure, ...] = Field(description="Holidays, collective leave and local closings in it")


class RoundFigures(View):
    """What counts for a round in the whole regency: numbers alone."""

    submitted: int = Field(description="Updates that came before its cut-off, after the one before")
    approved: int = Field(description="Approved for it")
    applied: int = Field(description="Of these applied to the registry")
    rolled_in: int = Field(description="That came from the round before, since they missed its cut-off")
    rolled_over: int = Field(description="That missed its cut-off")


class RoundInYourAreas(View):
    """What is under way in the reader's areas while the cut-off of the round comes next."""

    open: int = Field(description="Not yet approved")
    will_miss_cutoff: int = Field(description="Of these, late for the cut-off by the deadlines left on their route")


class RoundTermsView(View):
    """One calendar that the round was given: by whom and, where it was moved, why."""

    version: int
    dates: RoundDates
    reason: RescheduleReason | None
    note: str | None
    entered_by: PersonRef
    on_behalf_of: PersonRef | None
    role: Role
    office: OfficeRef
    entered_at: datetime


class RoundInFull(RoundView):
    """A round with all its calendars and its figures."""

    figures: RoundFigures
    yours: RoundInYourAreas | None = Field(description="Null unless its cut-off comes next and you read updates there")
    terms: tuple[RoundTermsView, ...]
    baseline_at: datetime | None = Field(description="When the baseline was complete; read it by village")
    closed_at: datetime | None


class PublicRound(RoundView):
    """What anybody may read of a round: days and numbers."""

    figures: RoundFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFilter:
    """What narrows the list: an area and all that concerns it; how the rounds stand."""

    area: str | None = None
    ahead: bool | None = None


async def has_rolled(connection: AsyncConnection, round_id: UUID) -> bool:
    """Whether all that missed its cut-off has rolled over."""
    return await connection.scalar(select(UpdateRound.rolled_at).where(UpdateRound.id == round_id)) is not None


async def list_rounds(kawal: Kawal, actor: Actor, wanted: RoundFilter, page: PageOf[ByAge]) -> Slice[RoundView, ByAge]:
    """The rounds in the actor's areas, or over them, the newest first. Raises NotFound for an area outside."""
    now = kawal.now()
    if wanted.area is not None and not actor.seats_over(wanted.area):
        raise NotFound(f"There is no area {wanted.area!r} for you.", pointer="/area")
    conditions = [_concerning(actor.areas if wanted.area is None else (wanted.area,))]
    if wanted.ahead is not None:
        conditions.append(RoundTerms.cutoff_at >= now if wanted.ahead else RoundTerms.cutoff_at < now)
    if page.after is not None:
        conditions.append(UpdateRound.id < page.after.id)
    statement = _named_rounds().where(*conditions).order_by(UpdateRound.id.desc()).limit(page.limit + 1)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
        calendars = await kawal.rules.calendars(connection, {row.area_code for row in rows})
    return Slice([RoundView.model_validate(_told(row, calendars, now=now)) for row in rows], after)


async def read_round(kawal: Kawal, actor: Actor, round_id: UUID) -> RoundInFull:
    """One round, for everybody who works with Kawal. Raises NotFound."""
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        return await read_round_in_full(kawal, connection, actor, round_id)


async def read_round_in_full(kawal: Kawal, connection: AsyncConnection, actor: Actor, round_id: UUID) -> RoundInFull:
    """The same in a transaction that has begun."""
    now = kawal.now()
    row = (await connection.execute(_named_rounds().where(UpdateRound.id == round_id))).one_or_none()
    if row is None:
        raise NotFound(f"There is no round {round_id}.")
    calendars = await kawal.rules.calendars(connection, {row.area_code})
    return RoundInFull.model_validate(
        {
            **_told(row, calendars, now=now),
            "figures": await _figures(connection, round_id),
            "yours": await _yours(kawal, connection, actor, round_of(row), now=now),
            "terms": await _terms(connection, round_id),
            "baseline_at": row.baseline_at,
            "closed_at": row.closed_at,
        },
    )


async def _terms(connection: AsyncConnection, round_id: UUID) -> tuple[RoundTermsView, ...]:
    """Every calendar that the round was given, the first one first."""
    history = select(RoundTerms.__table__).where(RoundTerms.round_id == round_id).order_by(RoundTerms.version)
    terms = (await connection.execute(history)).all()
    who = await read_who(
        connection,
        people=(person for each in terms for person in (each.entered_by, each.on_behalf_of)),
        offices=(each.office_id for each in terms),
        posts=(),
    )
    return tuple(
        RoundTermsView.model_validate(
            {
                "version": each.version,
                "dates": dates_of(each),
                "reason": each.reason,
                "note": each.note,
                "entered_by": who.person(each.entered_by),
                "on_behalf_of": who.person(each.on_behalf_of),
                "role": each.entered_role,
                "office": who.office(each.office_id),
                "entered_at": each.entered_at,
            },
        )
        for each in terms
    )


async def read_public_round(kawal: Kawal, area_code: str, period: str) -> PublicRound:
    """The public page of a round. Raises NotFound."""
    wanted = _named_rounds().where(UpdateRound.area_code == area_code, UpdateRound.period == period)
    async with kawal.database.transaction(Viewer.nobody(), snapshot=True) as connection:
        row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise NotFound(f"There is no round {period} in {area_code}.")
        calendars = await kawal.rules.calendars(connection, {area_code})
        figures = await _figures(connection, row.id)
    return PublicRound.model_validate({**_told(row, calendars, now=kawal.now()), "figures": figures})


async def _figures(connection: AsyncConnection, round_id: UUID) -> RoundFigures:
    row = (await connection.execute(_FIGURES, {"round_id": round_id})).one()
    return RoundFigures.model_validate(row, from_attributes=True)


async def _yours(
    kawal: Kawal, connection: AsyncConnection, actor: Actor, shown: Round, *, now: datetime
) -> RoundInYourAreas | None:
    """What is under way where the actor reads updates, if this is the round whose cut-off comes next."""
    outlook = await read_outlook(kawal, connection, (shown.area_code,), now=now)
    coming = outlook.round_of(shown.area_code)
    areas = actor.areas_with(Permission.UPDATES_READ)
    if coming is None or coming.id != shown.id or not areas:
        return None
    conditions = (within(Update.area_code, areas), within(Update.area_code, (shown.area_code,)))
    late = await missing_cutoff(kawal, connection, outlook, *conditions)
    counted = (
        select(func.count().label("open"), func.count().filter(late).label("late"))
        .select_from(Update)
        .join(Task, and_(Task.update_id == Update.id, Task.status == "open"))
        .join(Area, Area.code == Update.area_code)
        .where(Update.stage != Stage.DELIVERY.value, *conditions)
    )
    row = (await connection.execute(counted)).one()
    return RoundInYourAreas(open=row.open, will_miss_cutoff=row.late)


def _named_rounds() -> Any:
    return latest_rounds().add_columns(Area.name.label("area_name")).join(Area, Area.code == UpdateRound.area_code)


def _concerning(areas: tuple[str, ...]) -> ColumnElement[bool]:
    """That a round is of one of these areas, of a part of one, or of a regency that contains one."""
    over = sorted({above for area in areas for above in ancestry(area)})
    return or_(UpdateRound.area_code.in_(over), within(UpdateRound.area_code, areas))


def _told(row: Row[*tuple[Any, ...]], calendars: Mapping[str, WorkingCalendar], *, now: datetime) -> dict[str, Any]:
    shown, calendar = round_of(row), calendars[row.area_code]
    return {
        "id": shown.id,
        "version": shown.version,
        "area": AreaRef.of(row),
        "period": shown.period,
        "state": state_of(shown, now=now, calendar=calendar),
        "dates": shown.dates,
        "opens_at": shown.opens_at,
        "cutoff_at": shown.cutoff_at,
        "zone": calendar.zone,
        "milestones": tuple(
            _milestone(code, getattr(row, code), now=now, calendar=calendar)
            for code in sorted(_WORDS, key=lambda code: (getattr(row, code), list(_WORDS).index(code)))
        ),
        "closures": _closures(shown, calendar),
    }


def _milestone(code: str, day: date, *, now: datetime, calendar: WorkingCalendar) -> Milestone:
    left = days_left(day, now=now, calendar=calendar)
    return Milestone(code=code, words=_WORDS[code], day=day, days_left=left.days, working_days_left=left.working_days)


def _closures(shown: Round, calendar: WorkingCalendar) -> tuple[Closure, ...]:
    days = (shown.dates.publishes - shown.dates.opens).days
    closed = (calendar.why_closed(shown.dates.opens + place * ONE_DAY) for place in range(days + 1))
    return tuple(
        Closure(day=each.day, name=each.name, category=each.category) for each in closed if isinstance(each, ClosedDay)
    )
