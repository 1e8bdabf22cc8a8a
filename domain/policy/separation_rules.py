"""The rule that separation of duties can always be kept: whoever is silent, every later stage has a decider left.

Nobody decides in two stages of one case. A role that one person holds in an area (`SINGULAR_ROLES`) can therefore
decide once in a case; a rung that lets it decide early may use it up for the stage where it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from domain.errors import Violation
from domain.policy.model import Policy
from domain.policy.rule import Rule, Violations
from domain.policy.stages import Power, Rung, StageRule
from domain.vocabulary import SINGULAR_ROLES, Role, Stage


class Decider(NamedTuple):
    """A role that may decide a stage, and the piece of the policy that says so."""

    role: Role
    stage: Stage
    pointer: str
    by_rung: bool


Path = list[tuple[Stage, list[Decider]]]
"""The stages in the order in which a case may pass them, each with whoever may decide it."""


def no_rung_leaves_a_later_stage_without_a_decider(policy: Policy) -> Violations:
    """A case whose last possible decider has decided before stands still for ever, and no escalation can move it.

    The worst case is taken: every earlier stage may be decided by any of its deciders, so a role held by one person
    counts as used up after each stage in which it may decide. Raising two singular roles on one rung's stage is
    thus refused although only one of them would decide; a policy that depends on which is too fine to rely on.
    """
    yield from dict.fromkeys(violation for path in _paths(policy) for violation in _stranded(path))


def _paths(policy: Policy) -> Iterator[Path]:
    """Every way in which a case may meet its deciders: along a route, through a conflict on it, and by an appeal."""
    deciders_of = _deciders_by_stage(policy)
    for route in policy.routes:
        path = _with_checks(policy, [(stage, deciders_of.get(stage, [])) for stage in route.stages])
        yield path
        for position in range(len(path)):
            yield from _through_conflicts(policy, path, position)
            yield from _through_appeals(policy, path, position)


def _with_checks(policy: Policy, path: Path) -> Path:
    """The same with somebody looking in the field before each stage that may ask for it: whoever did is spent."""
    if policy.ground_checks is None:
        return path
    check = (Stage.GROUND_CHECK, list(_deciders(policy.stage(Stage.GROUND_CHECK), pointer="/ground_checks")))
    gated = policy.ground_checks.gated
    return [step for stage in path for step in ((check, stage) if stage[0] in gated else (stage,))]


def _through_conflicts(policy: Policy, path: Path, position: int) -> Iterator[Path]:
    """Whoever would decide a conflict and has said no themselves opens none: their own no spends nobody for it."""
    objecting = path[position][0]
    for index, dispute in enumerate(() if policy.conflicts is None else policy.conflicts.disputes):
        if objecting in dispute.objecting:
            pointer = f"/conflicts/disputes/{index}"
            named = Decider(dispute.decider, Stage.CONFLICT, f"{pointer}/decider", by_rung=False)
            deciders = [named, *_by_rung(dispute.ladder, Stage.CONFLICT, pointer=pointer)]
            yield [*path[:position], (Stage.CONFLICT, deciders), *path[position + 1 :]]


def _through_appeals(policy: Policy, path: Path, position: int) -> Iterator[Path]:
    """After a no, what follows is decided from the stage on where an appeal that is granted goes on."""
    for index, tier in enumerate(() if policy.appeals is None else policy.appeals.tiers):
        if path[position][0] in tier.hears:
            rule = policy.stage(Stage.APPEAL, contested=path[position][0])
            appeal = (Stage.APPEAL, list(_deciders(rule, pointer=f"/appeals/tiers/{index}")))
            rest = path[position + 1 :]
            later = [
                step
                for step, gate in zip(rest, [*rest[1:], *rest[-1:]], strict=True)
                if not _comes_before(gate[0] if step[0] is Stage.GROUND_CHECK else step[0], tier.resumes_at)
            ]
            yield [*path[: position + 1], appeal, *later]


def _comes_before(stage: Stage, other: Stage) -> bool:
    order = list(Stage)
    return order.index(stage) < order.index(other)


def _stranded(path: Path) -> Violations:
    spent: dict[Role, Decider] = {}
    for stage, deciders in path:
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
    yield from _by_rung(rule.ladder, rule.stage, pointer=pointer)


def _by_rung(ladder: Sequence[Rung], stage: Stage, *, pointer: str) -> Iterator[Decider]:
    for position, rung in enumerate(ladder):
        if Power.DECIDE in rung.grants and rung.to != "holder":
            yield Decider(rung.to, stage, f"{pointer}/ladder/{position}", by_rung=True)


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
