"""Rules about stages: somebody decides, may say more than yes, is allowed to, and has a bounded time for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from domain.durations import CalendarDays, Elapsed, WorkingDays
from domain.errors import Violation
from domain.policy.canonical import pieces
from domain.policy.model import Policy
from domain.policy.rule import Rule, Violations, listed, rungs_of, stages_of
from domain.policy.stages import Power
from domain.vocabulary import HUMAN_STAGES, ROUTE_OUTCOMES, Outcome, Role, Stage

ACTING_ROLES = frozenset(
    {
        Role.VILLAGE_OPERATOR,
        Role.VILLAGE_HEAD,
        Role.PUSKESOS_OFFICER,
        Role.GROUND_CHECKER,
        Role.DISTRICT_SUPERVISOR,
        Role.SUBDISTRICT_HEAD,
        Role.REGENCY_VERIFIER,
        Role.REGENCY_SUPERVISOR,
        Role.REGENCY_HEAD,
        Role.REGENCY_ASSISTANT,
    },
)
"""Roles that work on tasks. The others read: who plans, measures or inspects takes no part in a case."""

DECIDING_ROLES = ACTING_ROLES - {Role.VILLAGE_OPERATOR}
"""Roles that may decide: the operator submits and mends, and nobody decides what they submitted."""

VILLAGE_GOVERNMENT = frozenset({Role.VILLAGE_HEAD, Role.VILLAGE_COUNCIL})

LONGEST_WORKING_DAYS = 750
LONGEST_TIME = timedelta(days=3 * 365)
"""Three years, in working days and by the calendar."""


def every_human_stage_is_defined_once(policy: Policy) -> Violations:
    """Two rules for one stage contradict each other; the system's stages and repair have rules of their own."""
    seen: set[Stage] = set()
    for index, rule in enumerate(policy.stages):
        if rule.stage not in HUMAN_STAGES:
            yield Violation(
                pointer=f"/stages/{index}/stage",
                code="not_a_human_stage",
                detail=f"`stages` is for the stages in which people decide, and {rule.stage} is none.",
                remedy="Put it under `repair`, `identity` or `delivery`.",
            )
        elif rule.stage in seen:
            yield Violation(
                pointer=f"/stages/{index}/stage",
                code="stage_defined_twice",
                detail=f"The stage {rule.stage} has a rule already.",
                remedy="Leave one rule for each stage.",
            )
        seen.add(rule.stage)


def every_human_stage_has_deciders(policy: Policy) -> Violations:
    """A stage that nobody may decide only waits for its ladder to run out."""
    for pointer, rule in stages_of(policy):
        if not rule.deciders:
            yield Violation(
                pointer=f"{pointer}/deciders",
                code="stage_without_decider",
                detail=f"Nobody is named who acts in {rule.stage}.",
                remedy="Name at least one role.",
            )


def deciders_hold_a_role_that_may_decide(policy: Policy) -> Violations:
    """Who submits, plans, measures or inspects does not decide: their word about the case would be about themselves."""
    named = [*_deciders(policy), *_granted(policy)]
    for pointer, role in named:
        if role not in DECIDING_ROLES:
            yield Violation(
                pointer=pointer,
                code="role_may_not_decide",
                detail=f"The role {role} takes no decisions on cases.",
                remedy=f"Choose among {listed(DECIDING_ROLES)}.",
            )


def a_human_stage_can_say_yes_and_something_else(policy: Policy) -> Violations:
    """A stage that cannot forward ends every case; one that can only forward checks nothing."""
    for index, rule in enumerate(policy.stages):
        if not rule.outcomes <= ROUTE_OUTCOMES:
            yield Violation(
                pointer=f"/stages/{index}/outcomes",
                code="outcome_of_an_appeal",
                detail=f"The stage {rule.stage} would answer: {listed(rule.outcomes - ROUTE_OUTCOMES)}.",
                remedy=f"Choose among {listed(ROUTE_OUTCOMES)}; the others answer appeals.",
            )
        if Outcome.FORWARD not in rule.outcomes or len(rule.outcomes) == 1:
            yield Violation(
                pointer=f"/stages/{index}/outcomes",
                code="outcomes_too_few",
                detail=f"The stage {rule.stage} can answer: {listed(rule.outcomes) or 'nothing'}.",
                remedy="Allow `forward`, and at least one of `return` and `reject`.",
            )


def repair_is_mended_and_not_decided(policy: Policy) -> Violations:
    """A returned case is sent in again by those who mend it; there is nothing to approve or reject in between."""
    rule = policy.repair
    if rule.stage is not Stage.REPAIR:
        yield Violation(
            pointer="/repair/stage",
            code="repair_stage_expected",
            detail=f"The rule for repair says that it is the rule for {rule.stage}.",
            remedy="Set `stage` to `repair`.",
        )
    if rule.outcomes:
        yield Violation(
            pointer="/repair/outcomes",
            code="repair_has_outcomes",
            detail="Repair ends by sending the case in again, not by a decision.",
            remedy="Leave `outcomes` empty.",
        )
    for index, role in enumerate(rule.deciders):
        if role not in ACTING_ROLES:
            yield Violation(
                pointer=f"/repair/deciders/{index}",
                code="role_may_not_act",
                detail=f"The role {role} does not work on cases.",
                remedy=f"Choose among {listed(ACTING_ROLES)}.",
            )


def the_village_decides_its_own_deliberation(policy: Policy) -> Violations:
    """A musdes speaks for the village. Others may order one, or an SPTJM; nobody outside speaks in its place."""
    for index, rule in enumerate(policy.stages):
        if rule.stage is not Stage.DELIBERATION:
            continue
        for pointer, role in [*_deciders(policy), *_granted(policy)]:
            if pointer.startswith(f"/stages/{index}/") and role not in VILLAGE_GOVERNMENT:
                yield Violation(
                    pointer=pointer,
                    code="deliberation_decided_outside_village",
                    detail=f"The role {role} would decide the deliberation of a village.",
                    remedy="Grant `manage` alone: to order a musdes or an SPTJM.",
                )


def no_wait_is_longer_than_three_years(policy: Policy) -> Violations:
    """A deadline beyond the life of the data it guards, two years by law, is a slip of the pen."""
    for pointer, piece in pieces(policy):
        match piece:
            case WorkingDays(working_days=days):
                too_long = days > LONGEST_WORKING_DAYS
            case CalendarDays(calendar_days=days):
                too_long = timedelta(days=days) > LONGEST_TIME
            case Elapsed(elapsed=time):
                too_long = time > LONGEST_TIME
            case _:
                continue
        if too_long:
            yield Violation(
                pointer=pointer,
                code="wait_too_long",
                detail="This waits for more than three years.",
                remedy=f"At most {LONGEST_WORKING_DAYS} working days or {LONGEST_TIME.days} calendar days.",
            )


def extensions_stay_within_three_years(policy: Policy) -> Violations:
    """A deadline that can be moved without end is none."""
    limit = policy.extension_limit
    if limit.working_days * limit.times > LONGEST_WORKING_DAYS:
        yield Violation(
            pointer="/extension_limit",
            code="extension_too_long",
            detail=f"{limit.times} extensions of {limit.working_days} working days pass three years.",
            remedy=f"At most {LONGEST_WORKING_DAYS} working days in all.",
        )


def each_remoteness_class_has_one_credit(policy: Policy) -> Violations:
    """Two credits for one class would make the deadline of a remote village depend on which is read."""
    seen: set[int] = set()
    for index, credit in enumerate(policy.remoteness_credits):
        if credit.remoteness in seen:
            yield Violation(
                pointer=f"/remoteness_credits/{index}/remoteness",
                code="remoteness_credited_twice",
                detail=f"The remoteness class {credit.remoteness} has a credit already.",
                remedy="Leave one credit for each class.",
            )
        seen.add(credit.remoteness)


def whoever_waives_the_identity_check_may_decide(policy: Policy) -> Violations:
    """Letting a case go on unchecked is a decision, and somebody has to answer for it."""
    if policy.identity.waiver_role not in DECIDING_ROLES:
        yield Violation(
            pointer="/identity/waiver_role",
            code="role_may_not_decide",
            detail=f"The role {policy.identity.waiver_role} takes no decisions on cases.",
            remedy=f"Choose among {listed(DECIDING_ROLES)}.",
        )


def _deciders(policy: Policy) -> Iterator[tuple[str, Role]]:
    """Roles that decide. Those that a conflict hears speak for an office that decides."""
    for pointer, rule in stages_of(policy):
        if rule.stage is not Stage.REPAIR:
            for position, role in enumerate(rule.deciders):
                yield f"{pointer}/deciders/{position}", role
    for index, dispute in enumerate(() if policy.conflicts is None else policy.conflicts.disputes):
        for named in ("speaks_for", "speaks_against", "decider"):
            yield f"/conflicts/disputes/{index}/{named}", getattr(dispute, named)


def _granted(policy: Policy) -> Iterator[tuple[str, Role]]:
    """Roles that a rung lets decide, with the pointer of the rung. A reminder to the holder names no role."""
    for pointer, rung in rungs_of(policy):
        if (
            Power.DECIDE in rung.grants
            and rung.to != "holder"
            and not pointer.startswith(("/repair/", "/delivery/", "/information/"))
        ):
            yield pointer, rung.to


STAGE_RULES: tuple[Rule, ...] = (
    every_human_stage_is_defined_once,
    every_human_stage_has_deciders,
    deciders_hold_a_role_that_may_decide,
    a_human_stage_can_say_yes_and_something_else,
    repair_is_mended_and_not_decided,
    the_village_decides_its_own_deliberation,
    whoever_waives_the_identity_check_may_decide,
    no_wait_is_longer_than_three_years,
    extensions_stay_within_three_years,
    each_remoteness_class_has_one_credit,
)
