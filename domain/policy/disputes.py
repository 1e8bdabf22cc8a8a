"""When offices disagree, and when somebody does not accept a no: who is heard, who decides, and by when."""

from __future__ import annotations

from pydantic import PositiveInt

from domain.durations import Duration, Share
from domain.policy.stages import ListOf, Power, Rung, RungAction, SetOf, StageRule
from domain.provenance import Datum, Provenance
from domain.vocabulary import ROUTE_OUTCOMES, Outcome, Role, Stage


class AppealTier(Datum):
    """Who hears appeals against a no in one of `hears`, delivery being the Ministry's no, and until when.

    What is granted goes on from `resumes_at` on: stages before it, and the one that had said no, are not asked again.
    """

    hears: SetOf[Stage]
    deciders: ListOf[Role]
    deadline: Duration
    ladder: ListOf[Rung]
    resumes_at: Stage


class AppealsRule(Provenance):
    """That a rejection can be appealed once, `within` so long of it, and who decides: the tier above that said no."""

    within: Duration
    tiers: ListOf[AppealTier]

    def tier_of(self, rejected_in: Stage) -> AppealTier | None:
        """Who hears an appeal against the no of a stage; None where nobody does."""
        return next((tier for tier in self.tiers if rejected_in in tier.hears), None)


class OpinionRule(Datum):
    """Until when the two offices of a conflict are heard. Then it goes on, and silence is noted as no opinion."""

    deadline: Duration
    ladder: ListOf[Rung]


class Dispute(Datum):
    """A conflict about the no of one of the stages `objecting`: who speaks for each office, and who decides.

    The `return_count`-th substantive return of a case opens it, and with `on_rejection` a substantive rejection of
    what one of the stages `after` has forwarded.
    """

    objecting: SetOf[Stage]
    after: SetOf[Stage] = frozenset()
    on_rejection: bool
    return_count: PositiveInt | None = None
    speaks_for: Role
    speaks_against: Role
    decider: Role
    ladder: ListOf[Rung]


class ConflictsRule(Provenance):
    """Authority conflicts: both offices are heard, then somebody outside both decides, bindingly, by `deadline`.

    The reasons that count are those that are `substantive`. Not `enabled`, no further conflict opens.
    """

    enabled: bool = True
    opinion: OpinionRule
    deadline: Duration
    disputes: ListOf[Dispute]

    def dispute_about(self, objecting: Stage | None) -> Dispute:
        """The dispute about the no of a stage. Raises LookupError where there is none."""
        for dispute in self.disputes:
            if objecting in dispute.objecting:
                return dispute
        raise LookupError(f"the policy has no dispute about {objecting}")


def dispute_stage(
    stage: Stage,
    contested: Stage | None,
    *,
    appeals: AppealsRule | None,
    conflicts: ConflictsRule | None,
) -> StageRule:
    """The rule of a stage in which the no of `contested` is disputed. Raises LookupError where there is none."""
    if stage is Stage.APPEAL:
        if appeals is None:
            raise LookupError("the policy knows no appeals")
        return _appeal_stage(appeals, contested)
    if conflicts is None:
        raise LookupError("the policy knows no conflicts")
    dispute = conflicts.dispute_about(contested)
    return _opinion_stage(conflicts, dispute) if stage is Stage.OPINION else _conflict_stage(conflicts, dispute)


def _appeal_stage(rule: AppealsRule, contested: Stage | None) -> StageRule:
    tier = None if contested is None else rule.tier_of(contested)
    if tier is None:
        raise LookupError(f"the policy has no appeal against {contested}")
    return StageRule(
        stage=Stage.APPEAL,
        deciders=tier.deciders,
        outcomes=frozenset({Outcome.UPHOLD, Outcome.OVERTURN}),
        deadline=tier.deadline,
        ladder=tier.ladder,
        source=rule.source,
        strength=rule.strength,
    )


_AT_ONCE = Share(share=1e-9)
"""A share is more than nothing; the rung has fired when its task is opened."""


def _opinion_stage(rule: ConflictsRule, dispute: Dispute) -> StageRule:
    """Each office is heard once. Whoever will decide hears of it at once, and manages the task."""
    return StageRule(
        stage=Stage.OPINION,
        deciders=(dispute.speaks_for, dispute.speaks_against),
        outcomes=ROUTE_OUTCOMES,
        deadline=rule.opinion.deadline,
        ladder=(_called_in(rule, dispute, Power.MANAGE), *rule.opinion.ladder),
        quorum="all",
        source=rule.source,
        strength=rule.strength,
    )


def _conflict_stage(rule: ConflictsRule, dispute: Dispute) -> StageRule:
    return StageRule(
        stage=Stage.CONFLICT,
        deciders=(dispute.decider,),
        outcomes=ROUTE_OUTCOMES,
        deadline=rule.deadline,
        ladder=(_called_in(rule, dispute, Power.DECIDE), *dispute.ladder),
        source=rule.source,
        strength=rule.strength,
    )


def _called_in(rule: ConflictsRule, dispute: Dispute, power: Power) -> Rung:
    """The escalation that a conflict is: out of the hands of two offices, to somebody outside both."""
    return Rung(
        after=_AT_ONCE,
        action=RungAction.ESCALATE,
        to=dispute.decider,
        grants=frozenset({Power.MANAGE, power}),
        notify=(dispute.speaks_for, dispute.speaks_against),
        source=rule.source,
    )
