"""The clock of an open task by what is known now: its pauses, the orders over its area, its credits, the calendar."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from activities.casework.work import Work
from db.repositories.clocks import AreaClocks, replace_order_pauses
from db.repositories.tasks import TaskRecord, read_pauses
from domain.audit import AuditType
from domain.clock_orders import credits_of, pauses_of
from domain.deadlines import Deadline
from domain.ladder import rung_times
from domain.pauses import ClockInterval
from domain.policy import StageRule
from domain.supervision import counts, reckoned_anew


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A task with its deadline reckoned anew, when each rung of its ladder is due by it, and the pauses that count.

    `before` are the pauses as they stand in the database, `ordered` those that orders make of them now.
    """

    task: TaskRecord
    times: tuple[datetime, ...]
    pauses: tuple[ClockInterval, ...]
    before: tuple[ClockInterval, ...]
    ordered: tuple[ClockInterval, ...]

    def stands_at(self, moment: datetime) -> bool:
        """Whether the clock stands, also that of a task that was overdue when it stopped."""
        return any(pause.stands_at(moment) for pause in self.pauses)


async def reckon(
    work: Work, task: TaskRecord, rule: StageRule, clocks: AreaClocks, *, fired: Collection[int]
) -> Reckoned:
    """Reckon a task anew under the lock of its case. Nothing is written."""
    before = await read_pauses(work.connection, task.id)
    ordered = tuple(
        pause for pause in pauses_of(clocks.orders, stage=task.stage, opened_at=task.opened_at) if counts(pause, rule)
    )
    started = task.deadline.started_at
    given = [credit for credit in task.deadline.credits if credit.order is None]
    given += credits_of(clocks.orders, stage=task.stage, opened_at=started, now=work.at)
    pauses = (*(pause for pause in before if pause.order is None), *ordered)
    deadline = reckoned_anew(
        task.deadline,
        rule=rule,
        calendar=clocks.calendar,
        pauses=pauses,
        credits=given,
        fired=fired,
        now=work.at,
    ).deadline
    return Reckoned(
        task=replace(task, due_at=deadline.due_at, deadline=deadline, clock_job=clocks.job),
        times=rung_times(rule.ladder, deadline, calendar=clocks.calendar),
        pauses=tuple(pause for pause in pauses if counts(pause, rule)),
        before=tuple(before),
        ordered=ordered,
    )


async def keep_orders(work: Work, task: TaskRecord, reckoned: Reckoned) -> None:
    """Write down what orders and calendars have done to the clock of `task`; the caller saves the task.

    The same orders change nothing a second time, so each has its effect on a task once, whoever carries it there.
    """
    moved = await replace_order_pauses(work.connection, task, reckoned.ordered, before=reckoned.before)
    if moved or _rules_changed(task.deadline, reckoned.task.deadline):
        _note(work, task, reckoned.task.deadline, reckoned.ordered)


def _rules_changed(before: Deadline, after: Deadline) -> bool:
    """Whether the deadline is another one by another calendar, round or credits; that time passes moves none."""
    same_calendar = (before.calendar_area, before.calendar_version) == (after.calendar_area, after.calendar_version)
    same_window = before.window == after.window
    return before.credits != after.credits or (not (same_calendar and same_window) and before.due_at != after.due_at)


def _note(work: Work, task: TaskRecord, deadline: Deadline, ordered: Sequence[ClockInterval]) -> None:
    by_credit = [(credit.order, credit.note) for credit in deadline.credits if credit.order is not None]
    by = [*((pause.order, pause.note) for pause in ordered), *by_credit]
    work.note(
        AuditType.TASK_DEADLINE_MOVED,
        task=str(task.id),
        due_at=deadline.due_at.isoformat(),
        was_due_at=task.due_at.isoformat(),
        standing=deadline.standing,
        orders=[{"id": str(order), "number": number} for order, number in by],
        calendar={"area": deadline.calendar_area, "version": deadline.calendar_version},
    )
