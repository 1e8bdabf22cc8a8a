"""Rules about ground checks: what asks for one can happen, and somebody is left to look, and to decide afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from domain.circumstances import Circumstances
from domain.errors import Violation
from domain.permissions import PERMISSIONS, Permission
from domain.policy.ground_checks import DrawTrigger, GroundChecksRule, KindTrigger, ReturnTrigger, ValueTrigger
from domain.policy.model import Policy
from domain.policy.rule import Rule, Violations, listed
from domain.policy.stages import Power
from domain.vocabulary import HUMAN_STAGES, Outcome, Role, Stage

NUMBERS: Final = frozenset(
    name
    for name, field in Circumstances.model_json_schema()["properties"].items()
    if any(form.get("type") == "integer" for form in field.get("anyOf", ()))
)
"""The circumstances that are numbers."""


def a_ground_check_comes_before_a_stage_of_people(policy: Policy) -> Violations:
    """What is found in the field is for somebody who decides; a stage that no route passes waits for nothing."""
    passed = {stage for route in policy.routes for stage in route.stages} & set(HUMAN_STAGES)
    for pointer, stage in _gates(policy):
        if stage not in passed:
            yield Violation(
                pointer=pointer,
                code="ground_check_before_nothing",
                detail=f"No route passes {stage} as a stage in which people decide.",
                remedy=f"Choose one of {listed(passed)}.",
            )


def what_asks_for_a_ground_check_can_happen(policy: Policy) -> Violations:
    """A trigger that nothing pulls is a check that its authors believe in and that never happens."""
    rule = policy.ground_checks
    if rule is None:
        return
    if not rule.gated:
        yield _never("/ground_checks", "Nothing asks for a ground check.", "Add a trigger, or a stage to `on_request`.")
    for place, trigger in rule.triggers():
        pointer = f"/ground_checks/{place}"
        match trigger:
            case KindTrigger():
                yield from _kinds_that_pass(policy, trigger, pointer)
            case ValueTrigger():
                yield from _values_that_exist(trigger, pointer)
            case ReturnTrigger():
                yield from _stages_that_return(policy, trigger, pointer)
            case DrawTrigger():
                if trigger.millionths == 0:
                    yield _never(f"{pointer}/share", "Less than one in a million is never drawn.", "Raise the share.")


def _kinds_that_pass(policy: Policy, trigger: KindTrigger, pointer: str) -> Violations:
    if not trigger.kinds:
        yield _never(f"{pointer}/kinds", "No kind is named.", "Name the kinds that are looked at.")
    for kind in sorted(trigger.kinds):
        if not any(kind in route.kinds and trigger.gates in route.stages for route in policy.routes):
            yield _never(
                f"{pointer}/kinds",
                f"The route of {kind} does not pass {trigger.gates}.",
                f"Leave {kind} out, or name a stage of its route as `gates`.",
            )


def _values_that_exist(trigger: ValueTrigger, pointer: str) -> Violations:
    if trigger.field not in NUMBERS:
        yield Violation(
            pointer=f"{pointer}/field",
            code="ground_check_of_no_number",
            detail=f"{trigger.field!r} is no circumstance that is a number.",
            remedy=f"Choose one of {listed(NUMBERS)}.",
        )
    if trigger.at_least is None and trigger.at_most is None:
        yield _never(pointer, "No value is named.", "Give `at_least`, `at_most` or both.")
    if trigger.at_least is not None and trigger.at_most is not None and trigger.at_least > trigger.at_most:
        yield _never(f"{pointer}/at_most", "No value is so high and so low.", "Give an `at_most` above `at_least`.")


def _stages_that_return(policy: Policy, trigger: ReturnTrigger, pointer: str) -> Violations:
    returning = {rule.stage for rule in policy.stages if Outcome.RETURN in rule.outcomes}
    if not trigger.returned_by & returning:
        yield _never(
            f"{pointer}/returned_by",
            "None of these stages returns an update.",
            f"Choose among {listed(returning)}.",
        )
    known = {reason.code for reason in policy.reasons if reason.use.allows(Outcome.RETURN)}
    if not trigger.reasons & known:
        yield _never(
            f"{pointer}/reasons",
            "Nothing is returned for any of these reasons.",
            f"Choose among {listed(known)}.",
        )


def each_trigger_of_a_ground_check_stands_once(policy: Policy) -> Violations:
    """A check is recorded by what asked for it: two triggers of one name before one stage could not be told apart."""
    rule = policy.ground_checks
    if rule is None:
        return
    times = Counter((trigger.key, trigger.gates) for _, trigger in rule.triggers())
    for place, trigger in rule.triggers():
        if times[trigger.key, trigger.gates] > 1:
            yield Violation(
                pointer=f"/ground_checks/{place}",
                code="ground_check_asked_twice",
                detail=f"Before {trigger.gates} the same is asked by two triggers.",
                remedy="Leave one of them, with what both say.",
            )


def who_looks_in_the_field_does_not_decide_after(policy: Policy) -> Violations:
    """Nobody decides in two stages: were the looker the one who decides next, only the ladder would be left to."""
    rule = policy.ground_checks
    if rule is None:
        return
    after = {role for stage in policy.stages if stage.stage in rule.gated for role in stage.deciders}
    for position, role in enumerate(rule.deciders):
        if role in after:
            yield Violation(
                pointer=f"/ground_checks/deciders/{position}",
                code="looker_decides_after",
                detail=f"{role} decides in a stage that waits for what {role} has found.",
                remedy="Name a role that decides in none of the stages that wait.",
            )


def who_looks_in_the_field_may_send_photos(policy: Policy) -> Violations:
    """A report without its pictures is not taken, and who may not upload any could never give one."""
    rule = policy.ground_checks
    for pointer, role in () if rule is None else _lookers(rule):
        if Permission.EVIDENCE_UPLOAD not in PERMISSIONS[role]:
            yield Violation(
                pointer=pointer,
                code="looker_sends_no_photos",
                detail=f"The role {role} may upload no files.",
                remedy=f"Choose among {listed(r for r in Role if Permission.EVIDENCE_UPLOAD in PERMISSIONS[r])}.",
            )


def _lookers(rule: GroundChecksRule) -> Iterator[tuple[str, Role]]:
    for position, role in enumerate(rule.deciders):
        yield f"/ground_checks/deciders/{position}", role
    for position, rung in enumerate(rule.ladder):
        if Power.DECIDE in rung.grants and rung.to != "holder":
            yield f"/ground_checks/ladder/{position}/to", rung.to


def _gates(policy: Policy) -> Iterator[tuple[str, Stage]]:
    rule = policy.ground_checks
    if rule is None:
        return
    for place, trigger in rule.triggers():
        yield f"/ground_checks/{place}/gates", trigger.gates
    for stage in sorted(rule.on_request):
        yield "/ground_checks/on_request", stage


def _never(pointer: str, detail: str, remedy: str) -> Violation:
    return Violation(pointer=pointer, code="ground_check_never_asked", detail=detail, remedy=remedy)


GROUND_RULES: tuple[Rule, ...] = (
    a_ground_check_comes_before_a_stage_of_people,
    what_asks_for_a_ground_check_can_happen,
    each_trigger_of_a_ground_check_stands_once,
    who_looks_in_the_field_does_not_decide_after,
    who_looks_in_the_field_may_send_photos,
)
