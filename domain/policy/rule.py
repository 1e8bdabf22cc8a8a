"""What a rule about policies is: a function named by its sentence, that yields whatever breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from domain.errors import Violation
from domain.policy.model import Policy
from domain.policy.stages import Rung, StageRule
from domain.signoffs import SignoffStep
from domain.vocabulary import Stage

Violations = Iterator[Violation]
Rule = Callable[[Policy], Violations]
"""The name is the sentence that must hold, the docstring the reason why."""


def stages_of(policy: Policy) -> Iterator[tuple[str, StageRule]]:
    """The stages people work in, repair, appeals and ground checks included, each with its JSON Pointer."""
    for index, rule in enumerate(policy.stages):
        yield f"/stages/{index}", rule
    yield "/repair", policy.repair
    for index, tier in enumerate(() if policy.appeals is None else policy.appeals.tiers):
        for heard in sorted(tier.hears)[:1]:
            yield f"/appeals/tiers/{index}", policy.stage(Stage.APPEAL, contested=heard)
    if policy.ground_checks is not None:
        yield "/ground_checks", policy.stage(Stage.GROUND_CHECK)


def ladders_of(policy: Policy) -> Iterator[tuple[str, tuple[Rung, ...]]]:
    """Every ladder that can be climbed, with its JSON Pointer."""
    for pointer, rule in stages_of(policy):
        yield f"{pointer}/ladder", rule.ladder
    if policy.conflicts is not None:
        yield "/conflicts/opinion/ladder", policy.conflicts.opinion.ladder
        for index, dispute in enumerate(policy.conflicts.disputes):
            yield f"/conflicts/disputes/{index}/ladder", dispute.ladder
    if policy.information is not None:
        yield "/information/ladder", policy.information.ladder
    if policy.signoffs is not None:
        for step in SignoffStep:
            yield f"/signoffs/{step.value}/ladder", policy.signoffs.of(step).ladder
    if policy.delivery.ministry:
        yield "/delivery/ladder", policy.delivery.ladder


def rungs_of(policy: Policy) -> Iterator[tuple[str, Rung]]:
    """Every rung of every ladder, with its JSON Pointer."""
    for pointer, ladder in ladders_of(policy):
        for index, rung in enumerate(ladder):
            yield f"{pointer}/{index}", rung


def listed(words: Iterable[object]) -> str:
    """The words, sorted and separated by commas, for a message."""
    return ", ".join(sorted(str(word) for word in words))
