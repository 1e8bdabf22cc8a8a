"""What must hold of every case whatever has died meanwhile, read from the database in one snapshot."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import (
    ClockInterval,
    Decision,
    Escalation,
    Household,
    HouseholdVersion,
    OutboxMessage,
    Task,
    TaskGrant,
    Update,
)
from db.models.base import Base
from db.owner import OwnerDatabase
from db.repositories.trail import read_stream, stream_of_update
from domain.audit import AuditEvent, AuditType
from domain.pauses import PauseCause
from domain.vocabulary import CLOSED_STATUSES, Stage, Status
from services.administration.proof import prove
from services.administration.replay import replay_cases

LATENESS: Final = timedelta(seconds=70)
"""How long after its moment a milestone may still be waiting: the spread of a minute, and the way to the database."""
_SYSTEM_STAGES: Final = frozenset({Stage.IDENTITY_CHECK, Stage.DELIVERY})


@dataclass(frozen=True, slots=True)
class Picture:
    """Every row that the invariants are about."""

    updates: list[RowMapping]
    tasks: dict[UUID, list[RowMapping]]
    deciders: frozenset[UUID]
    decisions: list[RowMapping]
    escalations: list[RowMapping]
    households: list[RowMapping]
    versions: list[RowMapping]
    undelivered: list[RowMapping]
    asides: dict[UUID, list[RowMapping]]

    def all_tasks(self) -> Iterator[RowMapping]:
        """The tasks of all cases."""
        return (task for tasks in self.tasks.values() for task in tasks)


async def check_invariants(
    database: OwnerDatabase,
    *,
    at: datetime,
    drained: bool = True,
    trails: bool = True,
) -> None:
    """Raise AssertionError naming every breach; `at` is the moment by which milestones are judged.

    With `drained=False` messages may still wait for the engine. With `trails=False` the chains are not verified,
    which is five times as fast; that every case stands where its events put it is looked at in any case.
    """
    async with database.transaction(snapshot=True) as connection:
        picture = await _take(connection)
        flaws = await _of_standing(connection)
        flaws += await _flaws(connection, picture) if trails else []
    breaches = [
        *flaws,
        *_of_holders(picture, at=at, started=drained),
        *_of_decisions(picture),
        *_of_escalations(picture),
        *_of_custody(picture),
        *_of_registry(picture),
        *((f"outbox: {row.topic} of {row.subject_id} waits" for row in picture.undelivered) if drained else ()),
    ]
    assert not breaches, "\n".join(breaches)


async def _take(connection: AsyncConnection) -> Picture:
    async def rows(model: type[Base], *order: Any) -> list[RowMapping]:
        return list((await connection.execute(select(model.__table__).order_by(*order))).mappings())

    updates = await rows(Update, Update.id)
    tasks = defaultdict[UUID, list[RowMapping]](list)
    for task in await rows(Task, Task.opened_at, Task.id):
        tasks[task["update_id"]].append(task)
    asides = defaultdict[UUID, list[RowMapping]](list)
    for pause in await rows(ClockInterval, ClockInterval.from_at):
        if pause["cause"] == PauseCause.GROUND_CHECK:
            asides[pause["task_id"]].append(pause)
    grants = await rows(TaskGrant, TaskGrant.task_id)
    return Picture(
        updates=updates,
        tasks=tasks,
        deciders=frozenset(row["task_id"] for row in grants if row["power"] == "decide"),
        decisions=await rows(Decision, Decision.decided_at),
        escalations=await rows(Escalation, Escalation.fired_at),
        households=await rows(Household, Household.id),
        versions=await rows(HouseholdVersion, HouseholdVersion.household_id, HouseholdVersion.version),
        asides=asides,
        undelivered=[row for row in await rows(OutboxMessage, OutboxMessage.id) if row["done_at"] is None],
    )


async def _flaws(connection: AsyncConnection, picture: Picture) -> list[str]:
    """What is wrong with the trails: in themselves, and held against the rows."""
    flaws = [f"audit: {flaw.detail}" for flaw in (await prove(connection)).flaws]
    trails: dict[UUID, list[AuditEvent]] = {}
    for case in picture.updates:
        events, _ = await read_stream(connection, stream_of_update(case["id"]))
        trails[case["id"]] = [stored.event for stored in events]
    return [*flaws, *_of_told_rungs(picture, trails)]


def _of_holders(picture: Picture, *, at: datetime, started: bool) -> Iterator[str]:
    """Every open case has one open task, somebody who may decide it, and a moment at which it is looked at again."""
    for case in picture.updates:
        name = f"case {case['id']} ({case['status']})"
        open_tasks = [task for task in picture.tasks[case["id"]] if task["status"] == "open"]
        if case["status"] in CLOSED_STATUSES:
            if open_tasks or case["closed_at"] is None:
                yield f"{name} has ended, with {len(open_tasks)} open tasks, at {case['closed_at']}"
        elif case["status"] == Status.RECEIVED:
            if started or case["run_id"] is not None:
                yield f"{name} was never taken up"
        elif len(open_tasks) != 1:
            yield f"{name} has {len(open_tasks)} open tasks"
        else:
            yield from (f"{name}: {fault}" for fault in _of_open_task(picture, open_tasks[0], at=at))


def _of_open_task(picture: Picture, task: RowMapping, *, at: datetime) -> Iterator[str]:
    if Stage(task["stage"]) not in _SYSTEM_STAGES and task["id"] not in picture.deciders:
        yield f"nobody may decide the task of {task['stage']}"
    upcoming = task["next_milestone_at"]
    if upcoming is None or upcoming < at - LATENESS:
        yield f"the next milestone of {task['stage']} is {upcoming}, now is {at}"


def _of_decisions(picture: Picture) -> Iterator[str]:
    """A task that was decided has one decision, by one officer; a repair is done, not decided.

    Of opinions there is one of each officer, and none where an office was silent until its deadline.
    """
    of_task = Counter(row["task_id"] for row in picture.decisions)
    opinions = Counter((row["task_id"], row["actor_id"]) for row in picture.decisions if row["stage"] == Stage.OPINION)
    yield from (f"task {key[0]} has {heard} opinions of one officer" for key, heard in opinions.items() if heard > 1)
    for task in picture.all_tasks():
        wanted = int(task["status"] == "decided" and task["stage"] != Stage.REPAIR)
        if task["stage"] != Stage.OPINION and of_task[task["id"]] != wanted:
            yield f"task {task['id']} ({task['stage']}, {task['status']}) has {of_task[task['id']]} decisions"


def _of_escalations(picture: Picture) -> Iterator[str]:
    """No rung fires before it is due; that none fires twice, the table's key sees to."""
    for row in picture.escalations:
        if row["fired_at"] < row["due_at"]:
            yield f"rung {row['rung']} of task {row['task_id']} fired before it was due"


def _of_told_rungs(picture: Picture, trails: Mapping[UUID, list[AuditEvent]]) -> Iterator[str]:
    """Each rung that fired stands once in the table and once in the trail."""
    told = Counter(
        (UUID(str(event.data["task"])), event.data["rung"])
        for trail in trails.values()
        for event in trail
        if event.type in {AuditType.TASK_REMINDED, AuditType.TASK_ESCALATED}
    )
    fired = Counter((row["task_id"], row["rung"]) for row in picture.escalations)
    for key in told.keys() | fired.keys():
        if (told[key], fired[key]) != (1, 1):
            yield f"rung {key[1]} of task {key[0]} fired {fired[key]} times and was told {told[key]} times"


def _of_custody(picture: Picture) -> Iterator[str]:
    """Somebody has the case at every moment: a task opens in the moment in which the one before it was done."""
    for case in picture.updates:
        tasks = [part for task in picture.tasks[case["id"]] for part in _parts_of(picture, task)]
        tasks.sort(key=lambda part: part["opened_at"])
        if tasks and tasks[0]["opened_at"] < case["submitted_at"]:
            yield f"case {case['id']} had a task before it was submitted"
        for before, after in pairwise(tasks):
            if before["decided_at"] != after["opened_at"]:
                yield (
                    f"case {case['id']}: {before['stage']} ended at {before['decided_at']}, "
                    f"{after['stage']} began at {after['opened_at']}"
                )
        if tasks and case["closed_at"] is not None and tasks[-1]["decided_at"] != case["closed_at"]:
            yield f"case {case['id']} ended at {case['closed_at']}, its last task at {tasks[-1]['decided_at']}"


def _parts_of(picture: Picture, task: RowMapping) -> Iterator[Mapping[str, Any]]:
    """The stretches in which a task was held: not while it was put aside for somebody to look in the field."""
    begins = task["opened_at"]
    for aside in picture.asides[task["id"]]:
        yield {"stage": task["stage"], "opened_at": begins, "decided_at": aside["from_at"]}
        begins = aside["to_at"]
    if begins is not None:
        yield {"stage": task["stage"], "opened_at": begins, "decided_at": task["decided_at"]}


async def _of_standing(connection: AsyncConnection) -> list[str]:
    """The trail alone tells where each case stands."""
    return [
        f"{report.stream}: {item.field} is {item.table}, its events say {item.events}"
        async for report in replay_cases(connection)
        for item in report.differences
    ]


def _of_registry(picture: Picture) -> Iterator[str]:
    """A household is in as many versions as updates were applied to it, and one more if it was there before."""
    applied = {row["id"] for row in picture.updates if row["status"] == Status.APPLIED}
    made = defaultdict[UUID, list[RowMapping]](list)
    for row in picture.versions:
        made[row["household_id"]].append(row)
    for household in picture.households:
        yield from _of_versions(household, made[household["id"]], applied=applied)
    silent = applied - {row["update_id"] for row in picture.versions}
    yield from (f"update {update_id} was applied and changed nothing" for update_id in silent)


def _of_versions(household: RowMapping, versions: Sequence[RowMapping], *, applied: set[UUID]) -> Iterator[str]:
    authors = [row["update_id"] for row in versions]
    if [row["version"] for row in versions] != list(range(1, household["version"] + 1)):
        yield f"household {household['id']} is in version {household['version']} of {len(versions)}"
    if None in authors[1:] or len(set(authors)) != len(authors):
        yield f"household {household['id']} was changed twice by one update, or by none"
    for author in authors:
        if author is not None and author not in applied:
            yield f"household {household['id']} was changed by update {author}, which is not applied"
