"""Who holds a case: which party, in which roles and offices, claimed by whom, since when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from pydantic import Field
from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db.models import Task, TaskGrant
from domain.policy import Power
from domain.vocabulary import Role, Stage, Status
from services.queries.view import OfficeRef, PersonRef, View
from services.queries.who import Post, Who


class Party(StrEnum):
    """Whose turn it is: people in offices, the system itself, or a partner that was asked."""

    OFFICERS = "officers"
    SYSTEM = "system"
    CIVIL_REGISTRY = "civil_registry"
    MINISTRY = "ministry"


class Desk(View):
    """A role that may act on the case, and the offices in which somebody holds it; none when the post is vacant."""

    role: Role
    offices: tuple[OfficeRef, ...]


class Holder(View):
    """Who has the case now."""

    party: Party
    desks: tuple[Desk, ...] = Field(description="The roles that may decide; those the stage names come first")
    claimed_by: PersonRef | None = Field(description="Who of them has taken it up")
    claimed_at: datetime | None
    since: datetime


HOLDER_COLUMNS = (
    Task.stage.label("task_stage"),
    Task.opened_at,
    Task.claimed_by,
    Task.claimed_at,
)


def deciders() -> ColumnElement[list[str]]:
    """The roles that may decide the task of the row, as an array: first by the stage's rule, then by its rungs."""
    order = (TaskGrant.rung.asc().nulls_first(), TaskGrant.role.asc())
    return (
        select(func.array_agg(aggregate_order_by(TaskGrant.role, *order)))
        .where(TaskGrant.task_id == Task.id, TaskGrant.power == Power.DECIDE.value)
        .correlate(Task)
        .scalar_subquery()
        .label("deciders")
    )


def party_of(stage: Stage | None, status: Status) -> Party:
    """Whose turn it is in a stage; a case that the engine has not taken up yet is the system's."""
    match stage:
        case None:
            return Party.SYSTEM
        case Stage.IDENTITY_CHECK:
            return Party.CIVIL_REGISTRY
        case Stage.DELIVERY:
            return Party.SYSTEM if status is Status.IN_DELIVERY else Party.MINISTRY
        case (
            Stage.VERIFICATION
            | Stage.DELIBERATION
            | Stage.APPROVAL
            | Stage.ENDORSEMENT
            | Stage.REPAIR
            | Stage.APPEAL
            | Stage.OPINION
            | Stage.CONFLICT
            | Stage.GROUND_CHECK
        ):
            return Party.OFFICERS
        case _:
            assert_never(stage)


def posts_of(row: Row[*tuple[Any, ...]], *, at: datetime) -> Iterator[Post]:
    """The posts that may decide the task of a row with `area_code` and `deciders`."""
    for role in row.deciders or ():
        yield Post(row.area_code, Role(role), at)


def holder_of(row: Row[*tuple[Any, ...]], who: Who, *, at: datetime) -> Holder:
    """The holder, from a row with HOLDER_COLUMNS, `deciders`, `area_code` and `status` (the case's)."""
    return Holder(
        party=party_of(Stage(row.task_stage), Status(row.status)),
        desks=tuple(Desk(role=post.role, offices=who.offices_of(post)) for post in posts_of(row, at=at)),
        claimed_by=who.person(row.claimed_by),
        claimed_at=row.claimed_at,
        since=row.opened_at,
    )
