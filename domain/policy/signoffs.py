"""Who signs the plan of a village in a round, by when, and who hears of silence, as a policy writes it."""

from __future__ import annotations

from domain.durations import Duration
from domain.policy.stages import ListOf, Rung
from domain.provenance import Provenance
from domain.signoffs import SignoffStep
from domain.vocabulary import Role


class SignoffRule(Provenance):
    """One step: any of `deciders` signs it within `deadline`; the ladder tells of silence, and may let others sign."""

    deciders: ListOf[Role]
    deadline: Duration
    ladder: ListOf[Rung]


class SignoffsRule(Provenance):
    """The steps in which the plan of a village is determined from below.

    An answer to an objection that does not come in its time is done without; every other step waits, and escalates.
    """

    proposal: SignoffRule
    puskesos: SignoffRule
    dinas: SignoffRule
    answer: SignoffRule
    ruling: SignoffRule

    def of(self, step: SignoffStep) -> SignoffRule:
        """The rule of a step."""
        rules = {
            SignoffStep.PROPOSAL: self.proposal,
            SignoffStep.PUSKESOS: self.puskesos,
            SignoffStep.DINAS: self.dinas,
            SignoffStep.ANSWER: self.answer,
            SignoffStep.RULING: self.ruling,
        }
        return rules[step]
