"""Appeals and conflicts as the default policy has them: proposals, like all of it."""

from __future__ import annotations

from domain.policy.default_rungs import DECIDE, MANAGE, Pace, assistant, reminder, supervisor
from domain.policy.disputes import AppealsRule, AppealTier, ConflictsRule, Dispute, OpinionRule
from domain.vocabulary import Role, Stage, Strength


def default_appeals(pace: Pace) -> AppealsRule:
    """Above the regency no role of this service decides cases, so its assistant hears what its own office rejected.

    That includes what the Ministry rejected, which is delivered again where the appeal is granted.
    """
    supervisors = AppealTier(
        hears=frozenset({Stage.VERIFICATION, Stage.DELIBERATION}),
        deciders=(Role.REGENCY_SUPERVISOR,),
        deadline=pace.appeal,
        ladder=(reminder(), supervisor(Role.REGENCY_HEAD, grants=MANAGE), assistant(pace, grants=DECIDE)),
        resumes_at=Stage.APPROVAL,
    )
    assistants = AppealTier(
        hears=frozenset({Stage.APPROVAL, Stage.ENDORSEMENT, Stage.DELIVERY}),
        deciders=(Role.REGENCY_ASSISTANT,),
        deadline=pace.appeal,
        ladder=(reminder(), supervisor(Role.REGENCY_SUPERVISOR, grants=DECIDE)),
        resumes_at=Stage.ENDORSEMENT,
    )
    return AppealsRule(
        within=pace.appealable,
        tiers=(supervisors, assistants),
        source="Proposal; thirty calendar days to object and the tier above to answer, as other services of the kind",
        strength=Strength.PROPOSAL,
    )


def default_conflicts(pace: Pace) -> ConflictsRule:
    """Between village and PUSKESOS the camat decides, between the village and the Dinas the regency's assistant."""
    between_village_and_puskesos = (
        reminder(),
        supervisor(Role.REGENCY_SUPERVISOR, grants=MANAGE),
        assistant(pace, grants=DECIDE),
    )
    return ConflictsRule(
        opinion=OpinionRule(
            deadline=pace.opinion,
            ladder=(reminder(), supervisor(Role.REGENCY_SUPERVISOR, grants=MANAGE)),
        ),
        deadline=pace.conflict,
        disputes=(
            Dispute(
                objecting=frozenset({Stage.VERIFICATION}),
                on_rejection=False,
                return_count=2,
                speaks_for=Role.VILLAGE_HEAD,
                speaks_against=Role.PUSKESOS_OFFICER,
                decider=Role.SUBDISTRICT_HEAD,
                ladder=between_village_and_puskesos,
            ),
            Dispute(
                objecting=frozenset({Stage.DELIBERATION}),
                on_rejection=False,
                return_count=2,
                speaks_for=Role.PUSKESOS_OFFICER,
                speaks_against=Role.VILLAGE_HEAD,
                decider=Role.SUBDISTRICT_HEAD,
                ladder=between_village_and_puskesos,
            ),
            Dispute(
                objecting=frozenset({Stage.APPROVAL, Stage.ENDORSEMENT}),
                after=frozenset({Stage.DELIBERATION}),
                on_rejection=True,
                return_count=2,
                speaks_for=Role.VILLAGE_HEAD,
                speaks_against=Role.REGENCY_VERIFIER,
                decider=Role.REGENCY_ASSISTANT,
                ladder=(reminder(), supervisor(Role.REGENCY_HEAD, grants=MANAGE)),
            ),
        ),
        source="Proposal; the field study found offices disagreeing with nobody named to settle it",
        strength=Strength.PROPOSAL,
    )
