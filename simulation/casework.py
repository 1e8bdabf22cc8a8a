"""The steps of a case by the rules of the domain, in memory: what `activities/casework` does in a transaction.

Every verdict is the domain's; here is only the order in which it is asked, which `tests/workflows/test_simulation.py`
holds against the real workflows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from domain.answers import MINISTRY_RULINGS, happening_of, identity_judged
from domain.authority import Candidate, Grant, Involvement, granted
from domain.calendar import WorkingCalendar
from domain.circumstances import Circumstances
from domain.clock_orders import ClockOrder, credits_of, pauses_of
from domain.deadlines import Deadline
from domain.disputes import Answer, conflict_opened
from domain.ground_checks import FiledCheck, Proposal, asking, possible_triggers
from domain.ladder import (
    digest_after,
    due_rungs,
    next_digest_at,
    next_escalation,
    next_look_at,
    next_milestone_at,
    next_rung_at,
    rung_times,
    spread,
    stage_rule,
)
from domain.lapses import lapses_from, told_from
from domain.lifecycle import Happening, Position, move, resubmit
from domain.openings import first_clock, opening_deadline
from domain.policy import Policy, Power, RungAction, StageRule
from domain.quorum import Vote, is_settled, somebody_left
from domain.rounds import Round, held_until, round_for
from domain.supervision import counts, reckoned_anew
from domain.vocabulary import CONFLICT_STAGES, EscalationCause, MatchResult, Outcome, ReasonCode, Role, Stage, Status
from simulation.cases import Case, Fired, Officer, Work

UNPUBLISHED: Final = UUID(int=0)
"""Stands for the version under which ground checks are drawn, of a policy that has none yet."""

Candidates: TypeAlias = Callable[[Collection[Role], str, datetime], Sequence[Candidate]]
"""Who can act as one of these roles over an area at a moment."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds in the regency: its policy, calendar with rounds, orders over an area, remoteness, and its people."""

    policy: Policy
    calendar: WorkingCalendar
    candidates: Candidates
    orders: Callable[[str, datetime], Sequence[ClockOrder]]
    remoteness: Callable[[str], int]
    rounds: tuple[Round, ...] = ()
    policy_version_id: UUID = UNPUBLISHED


class Casework:
    """What happens to cases. Each step leaves its case with an open task, or closed."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._stage_rules: dict[tuple[Stage, frozenset[Stage], Stage | None], StageRule] = {}

    def start(self, case: Case, at: datetime) -> None:
        """The case enters the first stage of its route."""
        self._arrive(case, move(case.position, Happening.STARTED), at)

    def registry_answers(self, case: Case, unexpected: Sequence[MatchResult], at: datetime) -> None:
        """The civil registry has answered about everybody."""
        happening, reason = identity_judged(unexpected)
        self._close(case, at, Outcome.FORWARD if reason is None else Outcome.RETURN, reason)
        self._arrive(case, move(case.position, happening), at, reason=reason)

    def decide(
        self, case: Case, by: Officer, outcome: Outcome, at: datetime, *, reason: ReasonCode | None = None
    ) -> None:
        """An officer who may decide the open task does."""
        work = _opened(case)
        rule, answer = work.rule, Answer(work.stage, outcome, reason)
        position = self._position_after(case, answer, by.role)
        vote = Vote(user_id=by.user_id, role=by.role, on_behalf_of=by.on_behalf_of)
        ends = outcome is not Outcome.FORWARD and work.stage is not Stage.OPINION
        case.involvements.append(Involvement(user_id=by.user_id, stage=work.stage))
        case.answers.append(answer)
        work.votes.append(vote)
        if rule.quorum != "any" and not ends and not is_settled(rule, work.votes):
            self._seek_decider(case, work, at)
            return
        if work.stage is Stage.OPINION:
            self._close(case, at, None, None)
            self._arrive(case, position, at)
            return
        self._close(case, at, outcome, reason)
        self._arrive(case, position, at, reason=None if position.stage is Stage.OPINION else reason)

    def report(self, case: Case, by: Officer, at: datetime) -> None:
        """Somebody has looked in the field."""
        work = _opened(case)
        if work.check is not None:
            case.filed.append(work.check)
        case.involvements.append(Involvement(user_id=by.user_id, stage=work.stage))
        self._close(case, at, Outcome.FORWARD, None)
        self._arrive(case, move(case.position, Happening.GROUND_CHECKED), at)

    def resubmit(self, case: Case, by: UUID, changed: frozenset[str], at: datetime) -> None:
        """The repaired case is sent in again, with these groups of fields changed."""
        position = resubmit(case.position, changed=changed)
        self._close(case, at, None, None)
        case.involvements.append(Involvement(user_id=by, stage=None))
        case.revision += 1
        self._arrive(case, position, at)

    def goes_out(self, case: Case, at: datetime) -> bool:
        """Whether what is to be delivered is delivered now, and waits for no round."""
        return case.position.status is Status.IN_DELIVERY and self._waits_until(case, at) is None

    def pushed(self, case: Case, at: datetime) -> None:
        """The Ministry has taken the change in; the clock of its answer begins."""
        work = _opened(case)
        case.position = move(case.position, Happening.PUSHED)
        work.deadline = self._deadline(case, work.rule, at, answer=True)
        work.pushed_at = at
        work.look_at = self._next_look(work, at)

    def ministry_answers(self, case: Case, answer: str, at: datetime, *, reason: ReasonCode | None = None) -> None:
        """The Ministry has answered."""
        ruling = MINISTRY_RULINGS[answer]
        self._close(case, at, ruling.outcome, reason)
        self._arrive(case, move(case.position, ruling.happening), at, reason=reason)

    def wake_at(self, case: Case) -> datetime | None:
        """When the open task is to be looked at, spread as the engine spreads it."""
        work = case.open
        if work is None or work.look_at is None:
            return None
        return spread(work.look_at, task_id=work.id, deadline=work.deadline)

    def pass_milestone(self, case: Case, at: datetime) -> None:
        """Fire what is due, climb on when nobody is left to decide, and let silence decide where it may."""
        work = _opened(case)
        self._seek_decider(case, work, at)
        if self._is_deemed(case, work, at):
            self._close(case, at, Outcome.FORWARD, None)
            self._arrive(case, move(case.position, Happening.FORWARDED), at)
            return
        self._fire_due(case, work, at)
        if work.rule.lapses and work.deadline.due_at <= at and not work.deadline.standing:
            self._close(case, at, None, None)
            self._arrive(case, move(case.position, Happening.OPINIONS_HEARD), at)
        else:
            self._see_to_lapse(case, work, at)

    def _position_after(self, case: Case, answer: Answer, role: Role) -> Position:
        position = move(case.position, happening_of(answer.stage, answer.outcome))
        policy = self._rules.policy
        opened = conflict_opened(case.position, answer, role=role, before=case.answers, policy=policy)
        return position if opened is None else move(case.position, Happening.DISPUTED)

    def _arrive(self, case: Case, position: Position, at: datetime, *, reason: ReasonCode | None = None) -> None:
        self._count_for_round(case, position, at)
        case.position = position
        if position.stage is None:
            case.closed_at = at
            return
        if position.stage is Stage.IDENTITY_CHECK and not case.persons:
            self._arrive(case, move(position, Happening.IDENTITY_EXPECTED), at)
            return
        check = self._check_asked(case, position.stage)
        if check is not None:
            case.position = move(position, Happening.GROUND_CHECK_ASKED)
        self._open(case, at, reason=reason, check=check)

    def _count_for_round(self, case: Case, position: Position, at: datetime) -> None:
        delivered = position.stage is Stage.DELIVERY
        applied = position.status is Status.APPLIED and case.position.stage is not Stage.DELIVERY
        if delivered or applied:
            found = round_for(self._rules.rounds, at)
            case.round_id = None if found is None else found.id
            case.approved_at = at

    def _waits_until(self, case: Case, at: datetime) -> datetime | None:
        if case.position.stage is not Stage.DELIVERY or case.round_id is None:
            return None
        return held_until(self._rules.rounds, case.round_id, now=at)

    def _check_asked(self, case: Case, stage: Stage) -> FiledCheck | None:
        rule = self._rules.policy.ground_checks
        if rule is None or not rule.of_gate(stage):
            return None
        proposal = Proposal(case.id, self._rules.policy_version_id, case.kind, case.revision)
        asked = asking(
            possible_triggers(rule, stage, proposal),
            proposed=None if case.cars is None else Circumstances(cars=case.cars),
            answers=case.answers,
            filed=case.filed,
            revision=case.revision,
        )
        return FiledCheck(stage, asked, case.revision) if asked else None

    def _open(self, case: Case, at: datetime, *, reason: ReasonCode | None, check: FiledCheck | None) -> None:
        rule = self._rule(case)
        work = Work(
            id=_task_id(case),
            rule=rule,
            opened_at=at,
            deadline=self._deadline(case, rule, at, reason=reason),
            grants=[Grant(role=role, power=Power.DECIDE) for role in rule.deciders],
            revision=case.revision,
            check=check,
        )
        if check is not None:
            parts = {part.user_id for part in case.involvements}
            work.touched = tuple(Involvement(user_id=part, stage=None, touched=True) for part in sorted(parts))
        case.works.append(work)
        work.look_at = self._at_opening(case, self._next_look(work, at), at)
        if not rule.deciders:
            return
        if rule.stage in CONFLICT_STAGES:
            self._fire(work, 0, at, due_at=at, cause=EscalationCause.AUTHORITY_CONFLICT)
            work.look_at = self._next_look(work, at)
        self._seek_decider(case, work, at)

    def _rule(self, case: Case) -> StageRule:
        position = case.position
        if position.stage is None:
            raise RuntimeError("a case that goes on is in a stage")
        key = (position.stage, position.settled, position.contested)
        if key not in self._stage_rules:
            self._stage_rules[key] = stage_rule(
                self._rules.policy, position.stage, settled=position.settled, contested=position.contested
            )
        return self._stage_rules[key]

    def _deadline(
        self, case: Case, rule: StageRule, at: datetime, *, reason: ReasonCode | None = None, answer: bool = False
    ) -> Deadline:
        rules = self._rules
        clock = rules.policy.delivery.answer_deadline if answer else first_clock(rules.policy, rule, reason)
        return opening_deadline(
            rule,
            clock,
            remote_days=rules.policy.remoteness_credit(rules.remoteness(case.area_code)),
            orders=rules.orders(case.area_code, at),
            calendar=rules.calendar,
            at=at,
            begins=None if answer else self._waits_until(case, at),
        )

    def _next_look(self, work: Work, at: datetime) -> datetime:
        calendar, fired = self._rules.calendar, work.rungs
        times = rung_times(work.rule.ladder, work.deadline, calendar=calendar)
        upcoming = next_milestone_at(work.rule, work.deadline, times, fired=fired)
        if upcoming is None:
            return next_digest_at(at, every=self._rules.policy.digest_every, calendar=calendar)
        return next_look_at(upcoming, work.deadline.pauses, at=at)

    def _at_opening(self, case: Case, look: datetime, at: datetime) -> datetime:
        """At the latest when the round opens that the delivery waits for."""
        opens_at = self._waits_until(case, at)
        return look if opens_at is None else min(look, opens_at)

    def _seek_decider(self, case: Case, work: Work, at: datetime) -> None:
        """Climb at once while nobody may decide."""
        rule, climbed = work.rule, False
        if not rule.deciders:
            return
        involved = [*(() if rule.stage is Stage.REPAIR else case.involvements), *work.touched]
        while not self._somebody(case, work, involved, at):
            index = next_escalation(rule.ladder, fired=work.rungs)
            if index is None:
                break
            self._fire(work, index, at, due_at=at, cause=EscalationCause.NO_ELIGIBLE_DECIDER)
            climbed = True
        if climbed:
            work.look_at = self._next_look(work, at)

    def _somebody(self, case: Case, work: Work, involved: Sequence[Involvement], at: datetime) -> bool:
        roles = {grant.role for grant in work.grants if grant.power is Power.DECIDE}
        return somebody_left(
            work.rule,
            self._rules.candidates(roles, case.area_code, at),
            grants=work.grants,
            involvements=involved,
            votes=work.votes,
        )

    def _fire(self, work: Work, index: int, at: datetime, *, due_at: datetime, cause: EscalationCause) -> None:
        rung = work.rule.ladder[index]
        if rung.action is RungAction.ESCALATE:
            work.level += 1
            work.grants += [grant for grant in granted(rung) if grant not in work.grants]
        work.fired.append(Fired(index, str(rung.to), work.level, cause, due_at, at))

    def _reckon(self, case: Case, work: Work, at: datetime) -> Deadline:
        """The deadline by what is known now of orders over the area."""
        orders, rule = self._rules.orders(case.area_code, at), work.rule
        if not orders:
            return work.deadline
        ordered = [
            pause for pause in pauses_of(orders, stage=work.stage, opened_at=work.opened_at) if counts(pause, rule)
        ]
        given = [credit for credit in work.deadline.credits if credit.order is None]
        given += credits_of(orders, stage=work.stage, opened_at=work.deadline.started_at, now=at)
        return reckoned_anew(
            work.deadline,
            rule=rule,
            calendar=self._rules.calendar,
            pauses=ordered,
            credits=given,
            fired=work.rungs,
            now=at,
        ).deadline

    def _stands(self, deadline: Deadline, at: datetime) -> bool:
        return any(pause.stands_at(at) for pause in deadline.pauses)

    def _is_deemed(self, case: Case, work: Work, at: datetime) -> bool:
        if work.rule.on_exhausted == "hold" or work.look_at is None or work.look_at > at:
            return False
        deadline = self._reckon(case, work, at)
        times = rung_times(work.rule.ladder, deadline, calendar=self._rules.calendar)
        return next_rung_at(times, fired=work.rungs) is None and not self._stands(deadline, at)

    def _fire_due(self, case: Case, work: Work, at: datetime) -> None:
        calendar, before = self._rules.calendar, work.look_at
        work.deadline = self._reckon(case, work, at)
        times = rung_times(work.rule.ladder, work.deadline, calendar=calendar)
        due = due_rungs(times, fired=work.rungs, at=at)
        for index in due:
            self._fire(work, index, at, due_at=times[index], cause=EscalationCause.DEADLINE)
        upcoming = next_milestone_at(work.rule, work.deadline, times, fired=work.rungs)
        if upcoming is None and before is not None:
            upcoming = before
            if before <= at:
                work.digests += not due and not self._stands(work.deadline, at)
                every = self._rules.policy.digest_every
                upcoming = digest_after(before, every=every, calendar=calendar, now=at)
        look = None if upcoming is None else next_look_at(upcoming, work.deadline.pauses, at=at)
        work.look_at = None if look is None else self._at_opening(case, look, at)

    def _see_to_lapse(self, case: Case, work: Work, at: datetime) -> None:
        rule, calendar = self._rules.policy.lapse, self._rules.calendar
        if rule is None or work.stage is not Stage.REPAIR:
            return
        times = rung_times(work.rule.ladder, work.deadline, calendar=calendar)
        if next_rung_at(times, fired=work.rungs) is not None:
            return
        pauses, standing = work.deadline.pauses, self._stands(work.deadline, at)
        due = told_from(rule, times, pauses=pauses, calendar=calendar, now=at).due_at
        if work.told_at is not None:
            due = max(due, lapses_from(rule, work.told_at, pauses=pauses, calendar=calendar, now=at).due_at)
            if due <= at and not standing:
                self._close(case, at, None, None)
                self._arrive(case, move(case.position, Happening.LAPSED), at)
                return
        elif due <= at and not standing:
            work.told_at = at
            due = lapses_from(rule, at, pauses=pauses, calendar=calendar, now=at).due_at
        if due > at and (work.look_at is None or due < work.look_at):
            work.look_at = due

    def _close(self, case: Case, at: datetime, outcome: Outcome | None, reason: ReasonCode | None) -> None:
        work = _opened(case)
        work.deadline = self._reckon(case, work, at)
        work.closed_at, work.outcome, work.reason, work.look_at = at, outcome, reason, None


_NAMED: Final = 1 << 64


def _task_id(case: Case) -> UUID:
    """An id for the next task of the case: the case's own, moved on."""
    return UUID(int=(case.id.int + (len(case.works) + 1) * _NAMED) % (1 << 128))


def _opened(case: Case) -> Work:
    if (work := case.open) is None:
        raise RuntimeError("nothing is open in a case that has ended")
    return work
