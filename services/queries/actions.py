"""What the asker may do with a case now, and if not, why: asked of the same rules that will judge the act."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from domain.authority import Actor, Grant, Involvement, Permission, deciding_seat
from domain.errors import CaseClosed, DomainError, Forbidden, NotPossibleNow
from domain.ground_checks import awaited
from domain.lifecycle import Happening, Position, awaiting, move
from domain.policy import StageRule
from domain.supervision import escalating_seat, managing_roles, managing_seat, working_seat
from domain.vocabulary import Outcome, Stage
from services.queries.view import View

ActionName: TypeAlias = Literal[
    "decide",
    "report_ground_check",
    "ask_ground_check",
    "claim",
    "release",
    "reassign",
    "extend",
    "escalate",
    "resubmit",
    "withdraw",
    "appeal",
    "await_document",
    "end_document_wait",
    "reopen",
    "ask_office",
]


class Because(View):
    """Why something is refused: a stable code, and what it means here."""

    code: str
    detail: str


class Action(View):
    """Something that can be done with a case, and whether the asker may do it now."""

    name: ActionName
    allowed: bool
    because: Because | None = None
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What authority over a case is judged by; without an open task `rule` and `claimed_by` are None."""

    area_code: str
    position: Position
    rule: StageRule | None
    grants: Sequence[Grant]
    involvements: Sequence[Involvement]
    claimed_by: UUID | None
    fired: frozenset[int]
    extensions_left: int


def actions_of(actor: Actor, bench: Bench) -> tuple[Action, ...]:
    """Every act on the case with its verdict."""
    outcomes = () if bench.rule is None else tuple(sorted(bench.rule.outcomes))
    decide = verdict("decide", lambda: _decide(actor, bench))
    return (
        decide.model_copy(update={"outcomes": outcomes}),
        verdict("report_ground_check", lambda: _report(actor, bench)),
        verdict("claim", lambda: _claim(actor, bench)),
        verdict("release", lambda: _release(actor, bench)),
        verdict("reassign", lambda: _manage(actor, bench)),
        verdict("extend", lambda: _extend(actor, bench)),
        verdict("escalate", lambda: _escalate(actor, bench)),
        verdict("resubmit", lambda: _resubmit(actor, bench)),
        verdict("withdraw", lambda: _withdraw(actor, bench)),
    )


def verdict(name: ActionName, judge: Callable[[], None]) -> Action:
    """Whether `judge` lets it pass, and if not, why."""
    try:
        judge()
    except DomainError as refusal:
        return Action(name=name, allowed=False, because=Because(code=refusal.code, detail=refusal.detail))
    return Action(name=name, allowed=True)


def _decide(actor: Actor, bench: Bench) -> None:
    rule = require_rule(bench)
    if rule.stage is Stage.GROUND_CHECK:
        raise awaited(awaiting(bench.position))
    if not rule.outcomes:
        raise NotPossibleNow(f"Nobody decides in {rule.stage.value}.")
    _deciding_seat(actor, bench, rule.stage)


def _report(actor: Actor, bench: Bench) -> None:
    if require_rule(bench).stage is not Stage.GROUND_CHECK:
        raise NotPossibleNow("No report from the field is asked for.")
    _deciding_seat(actor, bench, Stage.GROUND_CHECK)


def _claim(actor: Actor, bench: Bench) -> None:
    working_seat(
        actor,
        area_code=bench.area_code,
        stage=require_rule(bench).stage,
        grants=bench.grants,
        involvements=bench.involvements,
    )
    if bench.claimed_by is not None and not actor.holds_for(bench.claimed_by, area_code=bench.area_code):
        raise NotPossibleNow("Somebody else has claimed this task.")


def _release(actor: Actor, bench: Bench) -> None:
    if bench.claimed_by is None:
        raise NotPossibleNow("Nobody has claimed this task.")
    managers = managing_roles(require_rule(bench), bench.grants)
    manages = any(seat.role in managers and not seat.on_leave for seat in actor.seats_over(bench.area_code))
    if not manages and not actor.holds_for(bench.claimed_by, area_code=bench.area_code):
        raise Forbidden("Only the holder of this task, or somebody who manages it, gives it back.")


def _manage(actor: Actor, bench: Bench) -> None:
    rule = require_rule(bench)
    managing_seat(actor, area_code=bench.area_code, rule=rule, grants=bench.grants)
    if not rule.deciders:
        raise NotPossibleNow(f"Nobody holds {rule.stage.value}: the system does it.")


def _extend(actor: Actor, bench: Bench) -> None:
    _manage(actor, bench)
    if bench.extensions_left < 1:
        raise NotPossibleNow("The deadline has been extended as often as the policy allows.")


def _escalate(actor: Actor, bench: Bench) -> None:
    escalating_seat(
        actor,
        area_code=bench.area_code,
        rule=require_rule(bench),
        grants=bench.grants,
        involvements=bench.involvements,
        fired=bench.fired,
    )


def _resubmit(actor: Actor, bench: Bench) -> None:
    actor.seat_for(Permission.UPDATES_REPAIR, area_code=bench.area_code)
    move(bench.position, Happening.RESUBMITTED)


def _withdraw(actor: Actor, bench: Bench) -> None:
    actor.seat_for(Permission.UPDATES_WITHDRAW, area_code=bench.area_code)
    move(bench.position, Happening.WITHDRAWN)


def require_rule(bench: Bench) -> StageRule:
    """The rule of the open task. Raises CaseClosed, and NotPossibleNow before the first stage."""
    if bench.rule is not None:
        return bench.rule
    if bench.position.closed:
        raise CaseClosed(f"The case is {bench.position.status.value}.")
    raise NotPossibleNow("The case has not entered its first stage yet.")


def _deciding_seat(actor: Actor, bench: Bench, stage: Stage) -> None:
    deciding_seat(
        actor,
        area_code=bench.area_code,
        stage=stage,
        grants=bench.grants,
        involvements=bench.involvements,
    )
