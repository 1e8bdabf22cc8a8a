"""The steps in which the plan of a village is determined, as the default policy has them: proposals, like all of it."""

from __future__ import annotations

from domain.durations import Duration
from domain.policy.default_rungs import DECIDE, MANAGE, Pace, above, assistant, reminder, supervisor
from domain.policy.signoffs import SignoffRule, SignoffsRule
from domain.policy.stages import Rung
from domain.vocabulary import Role, Strength


def default_signoffs(pace: Pace) -> SignoffsRule:
    """Each office has as long as for a case; where it is silent, the one above may sign in its place."""
    district = supervisor(Role.DISTRICT_SUPERVISOR, grants=DECIDE)
    told = (reminder(), supervisor(Role.DISTRICT_SUPERVISOR, grants=MANAGE), *above(pace))
    return SignoffsRule(
        proposal=_rule(
            (Role.VILLAGE_OPERATOR, Role.VILLAGE_HEAD), pace.verification, told, "the village knows what it can do"
        ),
        puskesos=_rule(
            (Role.PUSKESOS_OFFICER,),
            pace.verification,
            (reminder(), district, *above(pace)),
            "operator and PUSKESOS officer of a small village are often one person, so the district may sign",
        ),
        dinas=_rule(
            (Role.REGENCY_VERIFIER, Role.REGENCY_SUPERVISOR),
            pace.approval,
            (reminder(), supervisor(Role.REGENCY_HEAD, grants=DECIDE), assistant(pace, grants=MANAGE)),
            "the office that answers for the data of the regency signs last",
        ),
        answer=_rule(
            (Role.VILLAGE_OPERATOR, Role.VILLAGE_HEAD), pace.opinion, told, "nobody is overruled without being heard"
        ),
        ruling=_rule(
            (Role.SUBDISTRICT_HEAD, Role.REGENCY_ASSISTANT),
            pace.conflict,
            (reminder(), assistant(pace, grants=DECIDE)),
            "somebody outside both offices decides, as with a case in dispute",
        ),
        source="Proposal; targets from below, agreed upwards: the study's answer to planning from above",
        strength=Strength.PROPOSAL,
    )


def _rule(deciders: tuple[Role, ...], deadline: Duration, ladder: tuple[Rung, ...], why: str) -> SignoffRule:
    return SignoffRule(
        deciders=deciders, deadline=deadline, ladder=ladder, source=f"Proposal; {why}", strength=Strength.PROPOSAL
    )
