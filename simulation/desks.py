"""Who takes which task up, and when it is done: the people of a role over an area, with one pile before them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from heapq import heappop, heappush
from uuid import UUID

from domain.authority import Involvement, Person, involved_elsewhere
from domain.calendar import WorkingCalendar
from domain.vocabulary import Role, Stage
from simulation.agenda import Agenda
from simulation.cases import Case, Officer, Work
from simulation.conduct import Conduct
from simulation.regency import Regency, Worker

Act = Callable[[Case, Work, Officer, datetime], None]


class Desks:
    """The piles of the regency. What has climbed higher comes first, then what is due first."""

    def __init__(self, regency: Regency, conduct: Conduct, agenda: Agenda, act: Act) -> None:
        self._regency, self._conduct, self._agenda, self._act = regency, conduct, agenda, act
        self._piles: dict[tuple[Role, str], list[tuple[int, datetime, int, Case, Work]]] = {}
        self._taken: set[UUID] = set()
        self._laid = 0

    def lay(self, case: Case, work: Work, role: Role, at: datetime) -> None:
        """Lay a task before the people of a role; where it lies already, it is laid higher."""
        people = self._regency.workers(role, case.area_code)
        if not any(_may(person, case, work) for person in people):
            return
        pile = self._piles.setdefault((role, people[0].area_code), [])
        heappush(pile, (-work.level, work.deadline.due_at, self._laid, case, work))
        self._laid += 1
        for person in people:
            self._begin(person, at)

    def _begin(self, worker: Worker, at: datetime) -> None:
        """An idle person takes the next task up, or will once they are at work."""
        pile = self._piles.get((worker.role, worker.area_code))
        if worker.busy or worker.waiting or not pile:
            return
        calendar = self._regency.calendar
        present = next(worker.at_work(at, calendar)).begins
        if present > at:
            worker.waiting = True
            self._agenda.enter(present, lambda then: self._come(worker, then))
            return
        found = self._take(worker, pile)
        if found is not None:
            self._work_on(worker, *found, at, calendar)

    def _come(self, worker: Worker, at: datetime) -> None:
        worker.waiting = False
        self._begin(worker, at)

    def _take(self, worker: Worker, pile: list[tuple[int, datetime, int, Case, Work]]) -> tuple[Case, Work] | None:
        """The first task on the pile that the person may see to; those that only others may stay."""
        left: list[tuple[int, datetime, int, Case, Work]] = []
        found: tuple[Case, Work] | None = None
        while pile and found is None:
            entry = heappop(pile)
            case, work = entry[3], entry[4]
            if work.closed_at is not None or work.id in self._taken:
                continue
            if _may(worker, case, work):
                found = case, work
            else:
                left.append(entry)
        for entry in left:
            heappush(pile, entry)
        return found

    def _work_on(self, worker: Worker, case: Case, work: Work, at: datetime, calendar: WorkingCalendar) -> None:
        worker.busy = True
        self._taken.add(work.id)
        done = worker.finishes(at, self._conduct.minutes(case, work, worker.role), calendar)
        self._agenda.enter(done, lambda then: self._finish(worker, case, work, then))

    def _finish(self, worker: Worker, case: Case, work: Work, at: datetime) -> None:
        worker.busy = False
        self._taken.discard(work.id)
        if work.closed_at is None and _may(worker, case, work):
            self._act(case, work, Officer(worker.user_id, worker.role), at)
        self._begin(worker, at)


def _may(worker: Worker, case: Case, work: Work) -> bool:
    """Whether separation of duties lets this person see to the task, and they have not voted on it."""
    if work.stage is Stage.REPAIR:
        return True
    if any(vote.user_id == worker.user_id for vote in work.votes):
        return False
    parts: list[Involvement] = [*case.involvements, *work.touched]
    return involved_elsewhere(Person(user_id=worker.user_id), stage=work.stage, involvements=parts) is None
