"""The rule that separation of duties can always be kept: whoever is silent, every later stage has a decider left.

Nobody decides in two stages of one case. A role that one person holds in an area (`SINGULAR_ROLES`) can therefore
decide once in a case; a rung that lets it decide early may use it up for the stage where it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from domain.errors import Violation
from domain.policy.model import Policy, Power, RouteRule, StageRule
from domain.policy.rule import Rule, Violations
from domain.vocabulary import SINGULAR_ROLES, Role, Stage


class Decider(NamedTuple):
    """A role that may decide a stage, and the piece of the policy that says so."""

    role: Role
    stage: Stage
    pointer: str
    by_rung: bool


def no_rung_leaves_a_later_stage_without_a_decider(policy: Policy) -> Violations:
    """A case whose last possible decider has decided before stands still for ever, and no escalation can move it.

    The worst case is taken: every earlier stage may be decided by any of its deciders, so a role held by one person
    counts as used up after each stage in which it may decide. Raising two singular roles on one rung's stage is
    thus refused although only one of them would decide; a policy that depends on which is too fine to rely on.
    """
    deciders = _deciders_by_stage(policy)
    yield from dict.fromkeys(
        violation for route in policy.routes for violation in _stranded(route, deciders_of=deciders)
    )


def _stranded(route: RouteRule, *, deciders_of: Mapping[Stage, list[Decider]]) -> Violations:
    spent: dict[Role, Decider] = {}
    for stage in route.stages:
        deciders = deciders_of.get(stage, [])
        if deciders and all(decider.role in spent for decider in deciders):
            for decider in _to_blame([spent[decider.role] for decider in deciders]):
                yield _violation(decider, stranded=stage)
        for decider in deciders:
            if decider.role in SINGULAR_ROLES:
                spent.setdefault(decider.role, decider)


def _deciders_by_stage(policy: Policy) -> dict[Stage, list[Decider]]:
    """Whoever may decide each stage. To waive the identity check is a decision too."""
    waiver = Decider(policy.identity.waiver_role, Stage.IDENTITY_CHECK, "/identity/waiver_role", by_rung=False)
    human = {rule.stage: list(_deciders(rule, pointer=f"/stages/{index}")) for index, rule in enumerate(policy.stages)}
    return {Stage.IDENTITY_CHECK: [waiver]} | human


def _deciders(rule: StageRule, *, pointer: str) -> Iterator[Decider]:
    for position, role in enumerate(rule.deciders):
        yield Decider(role, rule.stage, f"{pointer}/deciders/{position}", by_rung=False)
    for position, rung in enumerate(rule.ladder):
        if Power.DECIDE in rung.grants and rung.to != "holder":
            yield Decider(rung.to, rule.stage, f"{pointer}/ladder/{position}", by_rung=True)


def _to_blame(spenders: list[Decider]) -> list[Decider]:
    """The rungs, where there are any: taking a grant back is easier than naming another decider."""
    rungs = [decider for decider in spenders if decider.by_rung]
    return list(dict.fromkeys(rungs or spenders))


def _violation(decider: Decider, *, stranded: Stage) -> Violation:
    remedy = (
        f"Take `decide` from this rung, or let another role decide {stranded}."
        if decider.by_rung
        else f"Let another role decide {decider.stage} or {stranded}."
    )
    return Violation(
        pointer=decider.pointer,
        code="later_stage_without_decider",
        detail=(
            f"One person is {decider.role} in an area. Having decided {decider.stage}, that person may not decide "
            f"{stranded}, and nobody else may."
        ),
        remedy=remedy,
    )


SEPARATION_RULES: tuple[Rule, ...] = (no_rung_leaves_a_later_stage_without_a_decider,)
