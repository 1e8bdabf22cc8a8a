"""Rules about minutes: each group is counted once, and the village itself signs."""

from __future__ import annotations

from typing import Final

from domain.errors import Violation
from domain.policy.model import Policy
from domain.policy.rule import Rule, Violations, listed
from domain.vocabulary import AttendanceGroup, Role

VILLAGE_SIGNERS: Final = frozenset({Role.VILLAGE_HEAD, Role.VILLAGE_OPERATOR, Role.VILLAGE_COUNCIL})
"""Who may be asked to sign minutes of a village."""


def a_quorum_counts_each_group_once(policy: Policy) -> Violations:
    """Two numbers for one group contradict each other, and nobody could say which one made a musdes good."""
    seen: set[AttendanceGroup] = set()
    for index, quorum in enumerate(policy.minutes.quorum if policy.minutes else ()):
        if quorum.group in seen:
            yield Violation(
                pointer=f"/minutes/quorum/{index}/group",
                code="group_counted_twice",
                detail=f"The group {quorum.group} has a number already.",
                remedy="Leave one number for each group.",
            )
        seen.add(quorum.group)


def minutes_are_signed_by_the_village(policy: Policy) -> Violations:
    """A paper that nobody answers for is none, and whoever is not of the village cannot answer for it."""
    if policy.minutes is None:
        return
    if Role.VILLAGE_HEAD not in policy.minutes.signers:
        yield Violation(
            pointer="/minutes/signers",
            code="minutes_without_head",
            detail="The village head does not sign.",
            remedy="Name `village_head` among the signers.",
        )
    for index, role in enumerate(policy.minutes.signers):
        if role not in VILLAGE_SIGNERS:
            yield Violation(
                pointer=f"/minutes/signers/{index}",
                code="signer_outside_village",
                detail=f"The role {role} is none of the village.",
                remedy=f"Choose among {listed(VILLAGE_SIGNERS)}.",
            )


MINUTES_RULES: tuple[Rule, ...] = (a_quorum_counts_each_group_once, minutes_are_signed_by_the_village)
