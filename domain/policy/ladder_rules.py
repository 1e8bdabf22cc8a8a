"""Rules about ladders: silence always reaches somebody new, in order, who can do something about it."""

from __future__ import annotations

from itertools import pairwise
from typing import assert_never

from domain.durations import After, Elapsed, Share, WorkingDays
from domain.errors import Violation
from domain.policy.model import Policy
from domain.policy.rule import Rule, Violations, ladders_of, listed, rungs_of, stages_of
from domain.policy.stage_rules import ACTING_ROLES
from domain.policy.stages import Power, Rung, RungAction
from domain.vocabulary import Role


def no_ladder_is_empty(policy: Policy) -> Violations:
    """Without a ladder a silent officer keeps a case for ever: the very thing this service is there to end."""
    for pointer, ladder in ladders_of(policy):
        if not ladder:
            yield Violation(
                pointer=pointer,
                code="empty_ladder",
                detail="Nobody hears of it when this deadline passes.",
                remedy="Add at least one rung that escalates.",
            )


def every_ladder_escalates(policy: Policy) -> Violations:
    """Reminding alone leaves the case with the one who was silent."""
    for pointer, ladder in ladders_of(policy):
        if ladder and all(rung.action is RungAction.REMIND for rung in ladder):
            yield Violation(
                pointer=pointer,
                code="ladder_without_escalation",
                detail="All rungs of this ladder only remind.",
                remedy="Add a rung with the action `escalate`.",
            )


def rungs_come_in_time_order(policy: Policy) -> Violations:
    """A rung's number is the level of the escalation, so a later rung may not come earlier nor at the same moment."""
    for pointer, ladder in ladders_of(policy):
        for index, (before, after) in enumerate(pairwise(ladder), start=1):
            if _moment(after.after) <= _moment(before.after):
                yield Violation(
                    pointer=f"{pointer}/{index}/after",
                    code="rungs_out_of_order",
                    detail="This rung does not come later than the one before it.",
                    remedy="Order the rungs: shares of the deadline first, then growing times past it.",
                )


def a_ladder_counts_time_past_the_deadline_in_one_way(policy: Policy) -> Violations:
    """Whether two working days come before thirty hours depends on the week, and an order may not."""
    for pointer, ladder in ladders_of(policy):
        ways = {type(rung.after) for rung in ladder} - {Share}
        if len(ways) > 1:
            yield Violation(
                pointer=pointer,
                code="rungs_not_comparable",
                detail="Some rungs count working days past the deadline, others elapsed time.",
                remedy="Use `working_days` for all of them, or `elapsed`.",
            )


def an_escalation_reaches_somebody_new(policy: Policy) -> Violations:
    """Telling the silent officer, or the same superior, once more is not an escalation."""
    silent = {f"{pointer}/ladder": frozenset(rule.deciders) for pointer, rule in stages_of(policy)}
    for pointer, ladder in ladders_of(policy):
        known: set[Role | str] = {"holder", *silent.get(pointer, ())}
        for index, rung in enumerate(ladder):
            if rung.action is not RungAction.ESCALATE:
                continue
            if rung.to in known:
                yield Violation(
                    pointer=f"{pointer}/{index}/to",
                    code="escalation_to_the_same",
                    detail=f"{rung.to} has this task already when the rung comes.",
                    remedy="Escalate to a role that neither holds the task nor was escalated to before.",
                )
            known.add(rung.to)


def an_escalation_goes_to_a_role_that_can_act(policy: Policy) -> Violations:
    """Authority given to somebody who only reads is authority nobody has; such roles can be notified instead."""
    for pointer, rung in rungs_of(policy):
        if rung.action is RungAction.ESCALATE and rung.to != "holder" and rung.to not in ACTING_ROLES:
            yield Violation(
                pointer=f"{pointer}/to",
                code="role_may_not_act",
                detail=f"The role {rung.to} does not work on cases.",
                remedy=f"Name it under `notify`, and escalate to one of {listed(ACTING_ROLES)}.",
            )


def an_escalation_grants_power_and_a_reminder_none(policy: Policy) -> Violations:
    """A superior who may do nothing is only one more person who knows; a reminder changes nobody's authority."""
    for pointer, rung in rungs_of(policy):
        match rung.action:
            case RungAction.ESCALATE:
                wrong, remedy = not rung.grants, "Grant `manage`, or make it a reminder."
            case RungAction.REMIND:
                wrong, remedy = bool(rung.grants), "Leave `grants` empty, or make it an escalation."
            case _:
                assert_never(rung.action)
        if wrong:
            yield Violation(
                pointer=f"{pointer}/grants",
                code="grants_do_not_fit_action",
                detail=f"A rung that does {rung.action} grants {listed(rung.grants) or 'nothing'}.",
                remedy=remedy,
            )


def a_decision_is_granted_only_where_one_is_taken(policy: Policy) -> Violations:
    """Repair is mended and the Ministry answers for itself: there is no decision that a rung could hand over."""
    for pointer, rung in rungs_of(policy):
        if Power.DECIDE in rung.grants and pointer.startswith(("/repair/", "/delivery/", "/information/")):
            yield Violation(
                pointer=f"{pointer}/grants",
                code="nothing_to_decide",
                detail="There is no decision to take here.",
                remedy="Grant `manage` alone.",
            )


def only_a_stage_with_a_holder_reminds_the_holder(policy: Policy) -> Violations:
    """While the Ministry has the case nobody here holds it, and the reminder would reach no one."""
    if not policy.delivery.ministry:
        return
    for index, rung in enumerate(policy.delivery.ladder):
        if _reminds_holder(rung):
            yield Violation(
                pointer=f"/delivery/ladder/{index}/to",
                code="no_holder",
                detail="Nobody holds a case that waits for the Ministry.",
                remedy="Name the role that asks the Ministry.",
            )


def _reminds_holder(rung: Rung) -> bool:
    return rung.action is RungAction.REMIND and rung.to == "holder"


def _moment(after: After) -> tuple[bool, float]:
    """A key that sorts rungs: within the deadline before past it."""
    match after:
        case Share(share=share):
            return False, share
        case WorkingDays(working_days=days):
            return True, days
        case Elapsed(elapsed=time):
            return True, time.total_seconds()
        case _:
            assert_never(after)


LADDER_RULES: tuple[Rule, ...] = (
    no_ladder_is_empty,
    every_ladder_escalates,
    rungs_come_in_time_order,
    a_ladder_counts_time_past_the_deadline_in_one_way,
    an_escalation_reaches_somebody_new,
    an_escalation_goes_to_a_role_that_can_act,
    an_escalation_grants_power_and_a_reminder_none,
    a_decision_is_granted_only_where_one_is_taken,
    only_a_stage_with_a_holder_reminds_the_holder,
)
