"""A case and its tasks as a simulation keeps them: what the database holds of them, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.authority import Grant, Involvement
from domain.deadlines import Deadline
from domain.disputes import Answer
from domain.ground_checks import FiledCheck
from domain.lifecycle import Position
from domain.policy import StageRule
from domain.quorum import Vote
from domain.vocabulary import EscalationCause, Kind, Outcome, ReasonCode, Role, Stage


class Fired(NamedTuple):
    """A rung that has fired."""

    rung: int
    to: str
    level: int
    cause: EscalationCause
    due_at: datetime
    at: datetime


@dataclass(slots=True)
class Work:
    """An open or closed task of a case (`tasks`), with its grants, votes and fired rungs."""

    id: UUID
    rule: StageRule
    opened_at: datetime
    deadline: Deadline
    grants: list[Grant]
    revision: int
    fired: list[Fired] = field(default_factory=list[Fired])
    level: int = 0
    look_at: datetime | None = None
    digests: int = 0
    votes: list[Vote] = field(default_factory=list[Vote])
    touched: tuple[Involvement, ...] = ()
    check: FiledCheck | None = None
    told_at: datetime | None = None
    pushed_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: Outcome | None = None
    reason: ReasonCode | None = None

    @property
    def stage(self) -> Stage:
        """The stage that it is of."""
        return self.rule.stage

    @property
    def rungs(self) -> set[int]:
        """Which rungs have fired."""
        return {fired.rung for fired in self.fired}


@dataclass(slots=True)
class Case:
    """A household update (`updates`). `household` is its place among the families of the village."""

    id: UUID
    area_code: str
    kind: Kind
    submitted_by: UUID
    submitted_at: datetime
    position: Position
    household: int = 0
    persons: int = 1
    cars: int | None = None
    revision: int = 1
    works: list[Work] = field(default_factory=list[Work])
    involvements: list[Involvement] = field(default_factory=list[Involvement])
    answers: list[Answer] = field(default_factory=list[Answer])
    filed: list[FiledCheck] = field(default_factory=list[FiledCheck])
    round_id: UUID | None = None
    approved_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def open(self) -> Work | None:
        """The open task."""
        last = self.works[-1] if self.works else None
        return last if last is not None and last.closed_at is None else None


class Officer(NamedTuple):
    """Who acts, as what, and for whom where they stand in."""

    user_id: UUID
    role: Role
    on_behalf_of: UUID | None = None
