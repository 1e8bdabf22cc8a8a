"""The rungs that the default ladders are made of, and the pace at which they come."""

from __future__ import annotations

from typing import NamedTuple

from domain.durations import After, Duration, Share
from domain.policy.model import PublicationRule
from domain.policy.stages import Power, Rung, RungAction
from domain.vocabulary import Role

LADDER_SOURCE = "Proposal; follows the ladder of SLRT: facilitator, district supervisor, regency manager"
MANAGE = frozenset({Power.MANAGE})
DECIDE = frozenset({Power.MANAGE, Power.DECIDE})


class Pace(NamedTuple):
    """All that differs between days and seconds."""

    verification: Duration
    deliberation: Duration
    approval: Duration
    endorsement: Duration
    repair: Duration
    patience: Duration
    push: Duration
    answer: Duration
    digest: Duration
    second_rung: After
    third_rung: After
    publication: PublicationRule
    appealable: Duration
    appeal: Duration
    opinion: Duration
    conflict: Duration
    document_wait: Duration
    lapse: Duration
    notice: Duration
    reopenable: Duration
    answer_of_peers: Duration
    standing_for_peers: Duration
    ground_check: Duration


def reminder() -> Rung:
    """Half-way the holder is reminded."""
    return Rung(after=Share(share=0.5), action=RungAction.REMIND, to="holder", source=LADDER_SOURCE)


def supervisor(role: Role, *, grants: frozenset[Power]) -> Rung:
    """When the deadline passes, whoever is above the holder."""
    return Rung(
        after=Share(share=1.0),
        action=RungAction.ESCALATE,
        to=role,
        grants=grants,
        source=LADDER_SOURCE,
    )


def above(pace: Pace) -> tuple[Rung, Rung]:
    """The two rungs past the supervisor, the same for every task that the head of office does not hold."""
    head = Rung(
        after=pace.second_rung,
        action=RungAction.ESCALATE,
        to=Role.REGENCY_HEAD,
        grants=MANAGE,
        source=LADDER_SOURCE,
    )
    return head, assistant(pace, grants=MANAGE)


def assistant(pace: Pace, *, grants: frozenset[Power]) -> Rung:
    """The regency's assistant, and the evaluator is told."""
    return Rung(
        after=pace.third_rung,
        action=RungAction.ESCALATE,
        to=Role.REGENCY_ASSISTANT,
        grants=grants,
        notify=(Role.EVALUATOR,),
        source=LADDER_SOURCE,
    )
