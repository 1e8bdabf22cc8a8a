"""Who settles a stage that several decide."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.authority import Candidate, Person
from domain.errors import NotPossibleNow
from domain.policy import AtLeast, StageRule, default_policy
from domain.policy.stages import Quorum
from domain.quorum import Vote, can_be_settled, is_settled, refuse_second_vote
from domain.vocabulary import Role, Stage

VERIFIER, SUPERVISOR, HEAD = Role.REGENCY_VERIFIER, Role.REGENCY_SUPERVISOR, Role.REGENCY_HEAD


def rule(quorum: Quorum) -> StageRule:
    approval = default_policy().stage(Stage.APPROVAL)
    return approval.model_copy(update={"deciders": (VERIFIER, SUPERVISOR), "quorum": quorum})


def vote(number: int, role: Role = VERIFIER) -> Vote:
    return Vote(user_id=UUID(int=number), role=role)


@pytest.mark.parametrize(
    ("quorum", "votes", "settled"),
    [
        ("any", [], False),
        ("any", [vote(1)], True),
        ("all", [vote(1)], False),
        ("all", [vote(1), vote(2)], False),
        ("all", [vote(1), vote(2, SUPERVISOR)], True),
        ("all", [vote(1, HEAD)], True),
        (AtLeast(at_least=2), [vote(1)], False),
        (AtLeast(at_least=2), [vote(1), vote(2)], True),
        (AtLeast(at_least=3), [vote(1, HEAD)], True),
    ],
)
def test_a_stage_is_settled_by_its_quorum_or_by_a_superior(quorum: Quorum, votes: list[Vote], *, settled: bool) -> None:
    assert is_settled(rule(quorum), votes) is settled


@pytest.mark.parametrize(
    ("quorum", "votes", "left", "possible"),
    [
        ("any", [], [(1, VERIFIER)], True),
        ("any", [], [], False),
        ("all", [vote(1)], [(2, VERIFIER)], False),
        ("all", [vote(1)], [(2, SUPERVISOR)], True),
        ("all", [vote(1)], [(2, HEAD)], True),
        ("all", [vote(1)], [(1, SUPERVISOR)], False),
        (AtLeast(at_least=3), [vote(1)], [(2, VERIFIER)], False),
        (AtLeast(at_least=3), [vote(1)], [(2, VERIFIER), (3, SUPERVISOR)], True),
        (AtLeast(at_least=2), [vote(1)], [(1, VERIFIER)], False),
    ],
)
def test_a_stage_climbs_when_too_few_are_left_to_settle_it(
    quorum: Quorum,
    votes: list[Vote],
    left: list[tuple[int, Role]],
    *,
    possible: bool,
) -> None:
    candidates = [Candidate(user_id=UUID(int=number), role=role) for number, role in left]
    eligible = {candidate.user_id for candidate in candidates}
    assert can_be_settled(rule(quorum), votes, candidates, eligible=eligible) is possible


def test_nobody_votes_twice_by_another_account_or_in_a_leave() -> None:
    other_account = Person(user_id=UUID(int=9), other_accounts=frozenset({UUID(int=1)}))
    with pytest.raises(NotPossibleNow):
        refuse_second_vote(other_account, [vote(1)])
    lent = Vote(user_id=UUID(int=2), role=VERIFIER, on_behalf_of=UUID(int=1))
    with pytest.raises(NotPossibleNow):
        refuse_second_vote(Person(user_id=UUID(int=1)), [lent])
    refuse_second_vote(Person(user_id=UUID(int=3)), [lent])
