"""One step of one case as a unit of work: the locked case, its rules, the moment, and the trail it leaves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from db.repositories import trail
from db.repositories.cases import (
    CaseRecord,
    RevisionRecord,
    read_involvements,
    read_revision,
)
from db.repositories.clocks import AreaClocks
from db.repositories.registry import read_version
from db.repositories.rules import Rules
from db.repositories.situations import Situation, locking_case, read_case_with_head, read_situation
from db.repositories.tasks import TaskRecord, notify
from db.repositories.trail import SYSTEM, Doer, Entry, stream_of_update
from db.session import Database, Viewer
from db.vault import Vault
from db.writes import Write, send
from domain.audit import AuditType, Head
from domain.authority import Actor, Involvement, Seat
from domain.calendar import WorkingCalendar
from domain.household import Household
from domain.lifecycle import Position
from domain.origins import ActOrigin, Means, act_origin_context, seal_origin
from domain.policy import Policy
from domain.vocabulary import Role, Stage, Status

_WORKER: Final = Viewer.system("worker")


@dataclass(frozen=True, slots=True)
class Desk:
    """What every activity of casework works with: the worker's database, the vault, the rules."""

    database: Database
    vault: Vault
    rules: Rules


@dataclass(slots=True)
class Work:
    """The case under its lock, until the transaction ends. What is done comes from `origin`.

    `head` is the end of its trail, where it has one; `clock_runs` whether the open task's clock is known to.
    """

    desk: Desk
    connection: AsyncConnection
    case: CaseRecord
    policy: Policy
    at: datetime
    origin: ActOrigin
    entries: list[Entry] = field(default_factory=list[Entry])
    head: Head | None = None
    clock_runs: bool = False
    _kept: list[Write] = field(default_factory=list[Write])
    _involvements: list[Involvement] | None = None
    _revision: RevisionRecord | None = None

    @property
    def vault(self) -> Vault:
        """What seals and opens the case's content."""
        return self.desk.vault

    @property
    def position(self) -> Position:
        """Where the case stood when it was locked."""
        return self.case.position(self.policy)

    def note(self, kind: AuditType, *, by: Doer = SYSTEM, status: Status | None = None, **data: Any) -> None:
        """Add an event to the trail; it is written when the work is done."""
        self.entries.append(Entry(type=kind, by=by, status=status, data=data))

    def keep(self, *writes: Write) -> None:
        """Write this when the step is done, or before something that has to find it (`write_kept`)."""
        self._kept += writes

    async def write_kept(self) -> None:
        """Write now what has been kept."""
        kept, self._kept = self._kept, []
        await send(self.connection, kept)

    def stand_at(self, position: Position) -> None:
        """Take up the new position for what is still to be done in this step."""
        self.case = replace(
            self.case,
            status=position.status,
            stage=position.stage,
            settled=position.settled,
            returned_from=position.returned_from,
            contested=position.contested,
            identity_waived=position.identity_waived,
        )

    async def tell(
        self,
        subject: str,
        *,
        task: TaskRecord | None = None,
        roles: Iterable[Role] = (),
        user_ids: Iterable[UUID] = (),
    ) -> None:
        """Notify roles over the case's area, and persons."""
        await notify(
            self.connection,
            subject,
            update_id=self.case.id,
            task_id=None if task is None else task.id,
            area_code=self.case.area_code,
            at=self.at,
            roles=roles,
            user_ids=user_ids,
        )

    async def calendar(self) -> WorkingCalendar:
        """The working calendar of the case's area."""
        return await self.desk.rules.calendar(self.connection, self.case.area_code)

    async def clocks(self) -> AreaClocks:
        """The same calendar with the orders over the area, as the process remembers them for some seconds."""
        return await self.desk.rules.clocks(self.connection, self.case.area_code, at=self.at)

    async def revision(self) -> RevisionRecord:
        """The latest submission of the case."""
        if self._revision is None or self._revision.revision != self.case.revision:
            self._revision = await read_revision(self.connection, self.case.id, self.case.revision, vault=self.vault)
        return self._revision

    async def involvements(self) -> list[Involvement]:
        """Who has had a part in the case, this step included."""
        if self._involvements is None:
            self._involvements = await read_involvements(self.connection, self.case.id)
        return self._involvements

    def know(self, situation: Situation) -> None:
        """Keep what has been read for an act, so that this step asks for none of it again."""
        self.clock_runs = not situation.clock_stands
        act = situation.keyed
        if act.origin is not None:
            self.origin = self.vault.open(act.origin, ActOrigin, context=act_origin_context(act.id))
        self._involvements = situation.standing.involvements

    def involve(self, actor: Actor, seat: Seat, *, stage: Stage | None) -> None:
        """Somebody has just had a part in the case, and so has whoever they stand in for."""
        if self._involvements is not None:
            both = (actor.user_id, seat.on_behalf_of)
            self._involvements += [Involvement(user_id=user_id, stage=stage) for user_id in both if user_id is not None]

    async def base(self) -> Household | None:
        """The household as it was when the update was made; None for a new one."""
        if self.case.household_id is None or self.case.base_version is None:
            return None
        return await read_version(
            self.connection,
            self.case.household_id,
            self.case.base_version,
            vault=self.vault,
        )


@asynccontextmanager
async def work_on(
    desk: Desk, update_id: UUID, *, at: datetime, origin: ActOrigin | None = None
) -> AsyncGenerator[Work]:
    """Lock the case, let the block work on it, write its trail, commit. Nothing is kept when the block raises.

    What is done comes from `origin`, or else from the step that the engine has asked for.
    """
    async with desk.database.transaction(_WORKER, opening=locking_case(update_id)) as connection:
        case, head = await read_case_with_head(connection, update_id)
        policy = await desk.rules.policy(connection, case.policy_version_id)
        work = Work(desk, connection, case, policy, at, origin or _step_of_engine(), head=head)
        yield work
        await _finish(work)


@asynccontextmanager
async def work_on_act(
    desk: Desk, update_id: UUID, act_id: UUID, *, at: datetime
) -> AsyncGenerator[tuple[Work, Situation]]:
    """The same for an act of a person, with what it is judged on."""
    async with desk.database.transaction(_WORKER, opening=locking_case(update_id)) as connection:
        situation = await read_situation(connection, act_id, update_id=update_id, at=at)
        policy = await desk.rules.policy(connection, situation.case.policy_version_id)
        work = Work(desk, connection, situation.case, policy, at, _step_of_engine(), head=situation.head)
        yield work, situation
        await _finish(work)


async def _finish(work: Work) -> None:
    """Write what the step has kept, and its trail."""
    if work.entries:
        stream, area_code = stream_of_update(work.case.id), work.case.area_code
        head = work.head or await trail.lock_head(work.connection, stream, area_code=area_code)
        origin = seal_origin(work.origin, lambda: work.vault.fields)
        work.keep(*trail.appended(stream, work.entries, head, at=work.at, area_code=area_code, origin=origin))
    await work.write_kept()


def _step_of_engine() -> ActOrigin:
    """The step that the engine has asked for: what is done comes from it unless a person or a partner is behind it."""
    part = activity.info().activity_type if activity.in_activity() else None
    return ActOrigin(means=Means.ENGINE, part=part)
