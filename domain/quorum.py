"""How many have to agree before a stage is settled, and who is still to be asked.

A forward counts for the quorum; a return or a rejection ends the task whoever gives it. Nobody counts twice, whatever
their accounts, and whoever stands in counts for whom they stand in. A superior to whom a rung has given the decision
decides alone: that is what the case climbed for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, assert_never
from uuid import UUID

from domain.authority import Candidate, Grant, Involvement, Person, eligible_deciders
from domain.errors import NotPossibleNow
from domain.policy import AtLeast, StageRule
from domain.vocabulary import Role


class Vote(NamedTuple):
    """A forward that has been given on an open task: by whom, in which role, and for whom."""

    user_id: UUID
    role: Role
    on_behalf_of: UUID | None = None

    @property
    def people(self) -> tuple[UUID, ...]:
        """Whose voice it was."""
        return (self.user_id,) if self.on_behalf_of is None else (self.user_id, self.on_behalf_of)


def has_voted(person: Person, votes: Iterable[Vote]) -> bool:
    """Whether one of the votes is this person's, or was given for them."""
    return any(person.has(user_id) for vote in votes for user_id in vote.people)


def refuse_second_vote(person: Person, votes: Iterable[Vote]) -> None:
    """Raise NotPossibleNow for who has given their decision on the task."""
    if has_voted(person, votes):
        raise NotPossibleNow(
            "You have decided this task, which waits for others to agree.",
            remedy="Leave it to them; a decision is not given twice, nor taken back.",
        )


def is_settled(rule: StageRule, votes: Sequence[Vote]) -> bool:
    """Whether these votes settle the stage; where two offices are heard, whether both have been."""
    if any(vote.role not in rule.deciders for vote in votes):
        return True
    match rule.quorum:
        case "any":
            return bool(votes)
        case "all":
            return set(rule.deciders) <= {vote.role for vote in votes}
        case AtLeast(at_least=n):
            return len(votes) >= n
        case _:
            assert_never(rule.quorum)


def can_be_settled(
    rule: StageRule,
    votes: Sequence[Vote],
    candidates: Iterable[Candidate],
    *,
    eligible: Collection[UUID],
) -> bool:
    """Whether those of `candidates` who are eligible and have not voted could settle the stage."""
    asked = [c for c in candidates if c.user_id in eligible and not has_voted(c.person, votes)]
    if any(candidate.role not in rule.deciders for candidate in asked):
        return True
    match rule.quorum:
        case "any":
            return bool(asked)
        case "all":
            missing = set(rule.deciders) - {vote.role for vote in votes}
            return missing <= {candidate.role for candidate in asked}
        case AtLeast(at_least=n):
            return len({candidate.user_id for candidate in asked}) >= n - len(votes)
        case _:
            assert_never(rule.quorum)


def somebody_left(
    rule: StageRule,
    candidates: Sequence[Candidate],
    *,
    grants: Sequence[Grant],
    involvements: Sequence[Involvement],
    votes: Sequence[Vote],
) -> bool:
    """Whether the stage can still be settled by those of `candidates` who may decide it; else its ladder is climbed."""
    eligible = eligible_deciders(candidates, stage=rule.stage, grants=grants, involvements=involvements)
    return bool(eligible) if rule.quorum == "any" else can_be_settled(rule, votes, candidates, eligible=eligible)
