"""Ground checks as the default policy has them: proposals, like all of it."""

from __future__ import annotations

from domain.policy.default_rungs import DECIDE, MANAGE, Pace, above, reminder, supervisor
from domain.policy.ground_checks import DrawTrigger, GroundChecksRule, KindTrigger, ReturnTrigger, ValueTrigger
from domain.policy.model import Policy
from domain.vocabulary import Kind, ReasonCode, Role, Stage, Strength


def default_ground_checks(pace: Pace) -> GroundChecksRule:
    """The PKH facilitator looks; where there is none who is free, the district supervisor does."""
    return GroundChecksRule(
        deciders=(Role.GROUND_CHECKER,),
        deadline=pace.ground_check,
        ladder=(
            reminder(),
            supervisor(Role.DISTRICT_SUPERVISOR, grants=DECIDE),
            *(rung.model_copy(update={"grants": MANAGE}) for rung in above(pace)),
        ),
        by_kind=(
            KindTrigger(
                gates=Stage.VERIFICATION,
                kinds=frozenset({Kind.OBJECTION, Kind.SELF_WITHDRAWAL}),
                source="Proposal; what neighbours say, and who is said to want no more aid, is seen by an outsider",
                strength=Strength.PROPOSAL,
            ),
        ),
        by_value=(
            ValueTrigger(
                gates=Stage.VERIFICATION,
                field="cars",
                at_least=1,
                source="Proposal; a car is what most lists of the poor are doubted for",
                strength=Strength.PROPOSAL,
            ),
        ),
        at_random=(
            DrawTrigger(
                gates=Stage.VERIFICATION,
                share=0.02,
                source="Proposal; one in fifty, so that no officer knows which case is looked at",
                strength=Strength.PROPOSAL,
            ),
        ),
        after_return=(
            ReturnTrigger(
                gates=Stage.APPROVAL,
                returned_by=frozenset({Stage.APPROVAL}),
                reasons=frozenset(
                    {
                        ReasonCode.MOVED,
                        ReasonCode.NOT_FOUND_IN_FIELD,
                        ReasonCode.OUTSIDE_AREA,
                        ReasonCode.REFUSED_SURVEY,
                        ReasonCode.SOURCE_CONFLICT,
                    }
                ),
                source="Proposal; where a household lives, and how, is seen before the regency is asked again",
                strength=Strength.PROPOSAL,
            ),
        ),
        on_request=frozenset({Stage.VERIFICATION, Stage.APPROVAL, Stage.ENDORSEMENT}),
        photos=1,
        far_m=10_000,
        source="Proposal; the ground check of DTSEN by PKH facilitators, with photos and coordinates",
        strength=Strength.PROPOSAL,
    )


def without_draws(policy: Policy) -> Policy:
    """The policy without its random ground checks, for where every run has to go the same way."""
    rule = policy.ground_checks
    return (
        policy
        if rule is None
        else policy.model_copy(update={"ground_checks": rule.model_copy(update={"at_random": ()})})
    )
