"""Asking the civil registry about one member of a case. Unavailable is never a mismatch: it is asked again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import insert
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.casework.work import Desk, Work, work_on
from activities.clock import EngineClock
from db.models import IdentityResult
from db.repositories.tasks import TaskRecord, begin_pause, end_pause, find_open_task
from domain.audit import AuditType
from domain.changes import IdentityExpectation, identity_expectations
from domain.contracts import ActivityName, MatchPerson
from domain.errors import PartnerUnavailable
from domain.pauses import PauseCause
from runtime.connectors.civil_registry import CivilRegistryClient, PersonMatch, PersonQuery

_DOWN = PauseCause.CIVIL_REGISTRY_UNAVAILABLE


class IdentityCheck:
    """The activity that matches one person, on a queue of its own."""

    def __init__(self, desk: Desk, registry: CivilRegistryClient) -> None:
        self._desk = desk
        self._registry = registry

    @activity.defn(name=ActivityName.MATCH_PERSON)
    async def match_person(self, command: MatchPerson) -> None:
        """Ask about one person and write the answer down; the clock stands while the registry is unavailable.

        No connection is held while the registry is asked. A registry that does not answer fails the attempt and the
        engine tries again, when the registry says or with growing pauses.
        """
        clock = EngineClock()
        person = await self._person(command, at=clock.now())
        if person is None:
            return
        try:
            match = await self._registry.match(_query(person))
        except PartnerUnavailable as fault:
            await self._note_outage(command, at=clock.now())
            raise _try_again(fault) from fault
        await self._record(command, match, at=clock.now())

    async def _person(self, command: MatchPerson, *, at: datetime) -> IdentityExpectation | None:
        """Whom to ask about; None when the task has closed meanwhile."""
        async with work_on(self._desk, command.update_id, at=at) as work:
            if await _open_check(work, command) is None:
                return None
            revision = await work.revision()
            expected = identity_expectations(revision.change, await work.base())
        return next((item for item in expected if item.key == command.person), None)

    async def _note_outage(self, command: MatchPerson, *, at: datetime) -> None:
        async with work_on(self._desk, command.update_id, at=at) as work:
            task = await _open_check(work, command)
            if task is not None and await begin_pause(work.connection, task, _DOWN, at=work.at):
                work.note(AuditType.TASK_CLOCK_PAUSED, task=str(task.id), cause=_DOWN.value)

    async def _record(self, command: MatchPerson, match: PersonMatch, *, at: datetime) -> None:
        async with work_on(self._desk, command.update_id, at=at) as work:
            task = await _open_check(work, command)
            if task is None:
                return
            if await end_pause(work.connection, task, _DOWN, at=work.at):
                work.note(AuditType.TASK_CLOCK_RESUMED, task=str(task.id), cause=_DOWN.value)
            answer = {"result": match.result.value, "fields": list(match.fields), "checked_at": work.at}
            await work.connection.execute(
                insert(IdentityResult)
                .values(
                    update_id=command.update_id,
                    task_id=command.task_id,
                    person_key=command.person,
                    area_code=work.case.area_code,
                    **answer,
                )
                .on_conflict_do_nothing(),
            )


async def _open_check(work: Work, command: MatchPerson) -> TaskRecord | None:
    task = await find_open_task(work.connection, command.update_id)
    return task if task is not None and task.id == command.task_id else None


def _query(person: IdentityExpectation) -> PersonQuery:
    return PersonQuery(
        nik=person.nik,
        kk_number=person.kk_number,
        name=person.name,
        birth_date=person.birth_date,
        sex=person.sex.value,
    )


def _try_again(fault: PartnerUnavailable) -> ApplicationError:
    """A passing fault, with the registry's own wish for when to ask again."""
    wait = fault.data.get("retry_after")
    return ApplicationError(
        fault.detail,
        type=fault.code,
        next_retry_delay=None if wait is None else timedelta(seconds=float(wait)),
    )
