"""What an answer means for a case: an officer's in a stage, the civil registry's about its people, the Ministry's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from domain.lifecycle import HAPPENING_OF_OUTCOME, Happening
from domain.vocabulary import MatchResult, Outcome, ReasonCode, Stage

REASON_OF_RESULT: Final = {
    MatchResult.MATCHED: ReasonCode.SOURCE_CONFLICT,
    MatchResult.MISMATCHED: ReasonCode.IDENTITY_MISMATCH,
    MatchResult.NOT_FOUND: ReasonCode.IDENTITY_NOT_FOUND,
    MatchResult.DECEASED: ReasonCode.DECEASED,
}
"""Why an unexpected answer returns the case; `matched` is unexpected only of somebody reported dead."""


class MinistryRuling(NamedTuple):
    """What an answer of the Ministry does to the case, and as what it is recorded."""

    happening: Happening
    outcome: Outcome


MINISTRY_RULINGS: Final = {
    "accepted": MinistryRuling(Happening.MINISTRY_ACCEPTED, Outcome.FORWARD),
    "returned": MinistryRuling(Happening.MINISTRY_RETURNED, Outcome.RETURN),
    "rejected": MinistryRuling(Happening.MINISTRY_REJECTED, Outcome.REJECT),
}


def happening_of(stage: Stage, outcome: Outcome) -> Happening:
    """What happens to a case when an officer answers `outcome` in `stage`."""
    match stage:
        case Stage.IDENTITY_CHECK:
            return Happening.IDENTITY_WAIVED
        case Stage.OPINION:
            return Happening.OPINIONS_HEARD
        case _:
            return HAPPENING_OF_OUTCOME[outcome]


def identity_judged(unexpected: Iterable[MatchResult]) -> tuple[Happening, ReasonCode | None]:
    """What happens once the civil registry has answered about everybody: the first unexpected answer names why."""
    first = next(iter(unexpected), None)
    if first is None:
        return Happening.IDENTITY_EXPECTED, None
    return Happening.IDENTITY_UNEXPECTED, REASON_OF_RESULT[first]
