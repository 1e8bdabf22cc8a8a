"""What a case waits for that nobody of its offices can do, and when it is waited for no longer."""

from __future__ import annotations

from domain.durations import Duration
from domain.policy.stages import ListOf, Rung
from domain.provenance import Provenance


class DocumentWaitRule(Provenance):
    """How long a repair may stand in all while the applicant waits for a paper of another office."""

    longest: Duration


class LapseRule(Provenance):
    """When a repair that nobody sends in is given up.

    The applicant is told `after` so long past the last rung of the repair, and the case lapses no sooner than `notice`
    later. It can be reopened once, within `reopen_within`.
    """

    after: Duration
    notice: Duration
    reopen_within: Duration


class InformationRule(Provenance):
    """By when another office is to answer a question of a stage, and who hears of its silence.

    The stage's clock stands meanwhile, for all questions of one task together no longer than `longest`.
    """

    deadline: Duration
    ladder: ListOf[Rung]
    longest: Duration
