"""A task that waits for somebody to look in the field: its clock stands, and it goes on where it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.contracts import Act, ActKind, AwaitDecision, Closed
from domain.requests import CorrectionRequest
from domain.supervision import CorrectionInput, CorrectionReason
from domain.vocabulary import EscalationCause, Stage
from services.queries.custody import custody_of, posts_held, read_tasks_held
from services.queries.who import read_who
from tests.casework.field import Field
from tests.casework.play import Play
from tests.scene import SYSTEM
from tests.workflows.stack import floor_area

DAY = timedelta(days=1)


@pytest.fixture
def field(play: Play) -> Field:
    return Field(play)


async def in_verification(play: Play) -> tuple[UUID, Any]:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    return update_id, await play.case(update_id)


async def rungs(play: Play, update_id: UUID) -> list[tuple[int, str]]:
    fired = "SELECT rung, stage FROM escalations JOIN tasks ON tasks.id = task_id WHERE escalations.update_id = :id"
    return [(row.rung, row.stage) for row in await play.scene.rows(f"{fired} ORDER BY fired_at", id=update_id)]


async def test_what_was_left_is_left_when_the_report_comes_and_no_rung_fires_twice(play: Play, field: Field) -> None:
    update_id, _ = await in_verification(play)
    await play.milestone(update_id)  # the reminder
    late = await play.milestone(update_id)
    assert isinstance(late, AwaitDecision)
    assert late.level == 1
    before = await play.case(update_id)
    await field.ask(update_id, "puskesos.taraju")
    assert (await play.case(update_id)).level == 0, "the check has a ladder of its own"
    play.later(10 * DAY)
    filed = (await field.report(update_id)).next
    assert isinstance(filed, AwaitDecision)
    assert (filed.stage, filed.level, filed.task_id) == (Stage.VERIFICATION, 1, before.task)
    after = await play.case(update_id)
    assert (after.level, after.cause) == (1, EscalationCause.DEADLINE)
    assert after.next_milestone_at >= before.next_milestone_at + 10 * DAY - timedelta(hours=2)
    await play.milestone(update_id)
    assert await rungs(play, update_id) == [(0, "verification"), (1, "verification"), (2, "verification")]


async def test_the_deadline_moves_by_the_working_time_that_the_check_took(play: Play, field: Field) -> None:
    update_id, before = await in_verification(play)
    await field.ask(update_id, "puskesos.taraju")
    play.later(7 * DAY)
    await field.report(update_id)
    after = await play.case(update_id)
    assert timedelta(days=5) <= after.due_at - before.due_at <= timedelta(days=12)
    causes = [pause["cause"] for pause in after.deadline["pauses"]]
    assert causes == ["ground_check"]


async def test_custody_is_of_the_office_then_of_whoever_looks_then_of_it_again(play: Play, field: Field) -> None:
    update_id, _ = await in_verification(play)
    await field.ask(update_id, "puskesos.taraju")
    play.later(2 * DAY)
    waiting = await held(play, update_id)
    await field.report(update_id)
    play.later(DAY)
    stages = ["identity_check", "verification", "ground_check"]
    assert [stage for stage, _ in waiting[-3:]] == stages
    spans = await held(play, update_id)
    assert [stage for stage, _ in spans[-4:]] == [*stages, "verification"]
    case = await play.case(update_id)
    assert sum((length for _, length in spans), timedelta()) == play.now - case.submitted_at
    await play.forward_to(update_id, Stage.DELIBERATION)


async def held(play: Play, update_id: UUID) -> list[tuple[str | None, timedelta]]:
    """The life of the case until now, by stage."""
    case = await play.case(update_id)
    async with play.scene.app.transaction(SYSTEM) as connection:
        tasks = await read_tasks_held(connection, update_id, events=())
        who = await read_who(connection, posts=posts_held(tasks))
    return [(s.stage, s.length) for s in custody_of(tasks, who, begins=case.submitted_at, ends=play.now)]


async def test_a_case_that_is_taken_back_while_somebody_is_to_look_leaves_nothing_behind(
    play: Play, field: Field
) -> None:
    update_id, before = await in_verification(play)
    await field.ask(update_id, "puskesos.taraju")
    assert isinstance((await play.withdraw(update_id)).next, Closed)
    task = await play.scene.one("SELECT * FROM tasks WHERE id = :id", id=before.task)
    assert (task.status, task.next_milestone_at) == ("cancelled", None)
    pauses = "SELECT 1 FROM clock_intervals WHERE update_id = :id AND to_at IS NULL"
    assert await play.scene.rows(pauses, id=update_id) == []


async def test_a_case_that_is_sent_back_meanwhile_begins_the_stage_anew(play: Play, field: Field) -> None:
    update_id, before = await in_verification(play)
    await field.ask(update_id, "puskesos.taraju")
    order = CorrectionInput(to=Stage.VERIFICATION, reason=CorrectionReason.STUCK)
    act_id = await play.scene.ask(update_id, "admin", CorrectionRequest(body=order))
    await play.record(update_id, Act(act_id=act_id, kind=ActKind.CORRECT))
    case = await play.case(update_id)
    assert (case.stage, case.task != before.task) == ("verification", True)
