"""The policy that a regency starts from, and the same in seconds, for a person who wants to watch a case escalate.

The day counts of the regulations could not be read. Every rule here is a proposal, most of them taken from local
service standards (Lumajang's of 2022 allows twenty working days from the village to the endorsement letter), and
is labelled as one; a regency replaces what its own decrees say otherwise.
"""

from __future__ import annotations

from pydantic import TypeAdapter

from domain.durations import CalendarDays, Elapsed, Share, WindowClose, WorkingDays
from domain.policy.default_disputes import default_appeals, default_conflicts
from domain.policy.default_ground import default_ground_checks, without_draws
from domain.policy.default_rungs import DECIDE, LADDER_SOURCE, MANAGE, Pace, above, assistant, reminder, supervisor
from domain.policy.default_signoffs import default_signoffs
from domain.policy.model import (
    DEFAULT_PUBLICATION,
    DeliveryRule,
    ExtensionLimit,
    GroupQuorum,
    IdentityRule,
    MinutesRule,
    Policy,
    PublicationRule,
    RemotenessCredit,
    RouteRule,
)
from domain.policy.stages import Rung, RungAction, StageRule
from domain.policy.waits import DocumentWaitRule, InformationRule, LapseRule
from domain.provenance import Bilingual
from domain.reasons import DEFAULT_REASONS, ReasonRule
from domain.vocabulary import HUMAN_STAGES, ROUTE_OUTCOMES, AttendanceGroup, Kind, Role, Stage, Strength

_ANY_ANSWER = ROUTE_OUTCOMES


_OFFICE_DAYS = Pace(
    verification=WorkingDays(working_days=5),
    deliberation=WindowClose(window_close="musdes", at_least=WorkingDays(working_days=3)),
    approval=WorkingDays(working_days=5),
    endorsement=WorkingDays(working_days=3),
    repair=WorkingDays(working_days=5),
    patience=WorkingDays(working_days=3),
    push=WorkingDays(working_days=1),
    answer=WorkingDays(working_days=10),
    digest=WorkingDays(working_days=1),
    second_rung=WorkingDays(working_days=2),
    third_rung=WorkingDays(working_days=3),
    publication=DEFAULT_PUBLICATION,
    appealable=CalendarDays(calendar_days=30),
    appeal=WorkingDays(working_days=10),
    opinion=WorkingDays(working_days=3),
    conflict=WorkingDays(working_days=3),
    document_wait=CalendarDays(calendar_days=60),
    lapse=WorkingDays(working_days=20),
    notice=WorkingDays(working_days=10),
    reopenable=CalendarDays(calendar_days=90),
    answer_of_peers=WorkingDays(working_days=5),
    standing_for_peers=WorkingDays(working_days=10),
    ground_check=WorkingDays(working_days=5),
)


def _seconds(count: int) -> Elapsed:
    return TypeAdapter(Elapsed).validate_python({"elapsed": f"PT{count}S"})


BRISK_PUBLICATION = PublicationRule(
    consultation=_seconds(20),
    emergency=_seconds(3600),
    source="For demonstrations: a consultation that a person can wait for",
    strength=Strength.PROPOSAL,
)
"""For a machine on which nobody is asked in earnest."""

_SECONDS = Pace(
    verification=_seconds(20),
    deliberation=_seconds(30),
    approval=_seconds(20),
    endorsement=_seconds(20),
    repair=_seconds(15),
    patience=_seconds(20),
    push=_seconds(8),
    answer=_seconds(60),
    digest=_seconds(30),
    second_rung=_seconds(4),
    third_rung=_seconds(8),
    publication=BRISK_PUBLICATION,
    appealable=_seconds(3600),
    appeal=_seconds(30),
    opinion=_seconds(20),
    conflict=_seconds(20),
    document_wait=_seconds(60),
    lapse=_seconds(2),
    notice=_seconds(6),
    reopenable=_seconds(3600),
    answer_of_peers=_seconds(15),
    standing_for_peers=_seconds(30),
    ground_check=_seconds(20),
)


def default_policy(*, area_code: str = "*") -> Policy:
    """LIFECYCLE.md's table in working days: the standard and the express route, for the nation or one regency."""
    return _policy(
        name="default",
        title=Bilingual(id="Kebijakan bawaan", en="Default policy"),
        area_code=area_code,
        pace=_OFFICE_DAYS,
        reasons=DEFAULT_REASONS,
        remoteness_credits=_REMOTENESS_CREDITS,
        minutes=_MINUTES,
    )


def demo_policy(*, area_code: str = "*") -> Policy:
    """The same routes and ladders with deadlines of 8 to 60 seconds and rungs 4 seconds apart.

    No reason asks for a repair time of its own, and no village gets a credit: both would be days among seconds. Nor is
    every paper photographed: a dozen villages would wait for the examination of their scans at once. Nobody is sent to
    the field by lot, so that what is shown goes the same way every time.
    """
    demo = _policy(
        name="demo",
        title=Bilingual(id="Kebijakan peragaan (dalam detik)", en="Demonstration policy (in seconds)"),
        area_code=area_code,
        pace=_SECONDS,
        reasons=tuple(reason.model_copy(update={"within": None}) for reason in DEFAULT_REASONS),
        remoteness_credits=(),
        minutes=_MINUTES.model_copy(update={"scan_required": False}),
    )
    return without_draws(demo)


def _policy(
    *,
    name: str,
    title: Bilingual,
    area_code: str,
    pace: Pace,
    reasons: tuple[ReasonRule, ...],
    remoteness_credits: tuple[RemotenessCredit, ...],
    minutes: MinutesRule,
) -> Policy:
    return Policy(
        name=name,
        title=title,
        area_code=area_code,
        routes=_ROUTES,
        stages=(_verification(pace), _deliberation(pace), _approval(pace), _endorsement(pace)),
        repair=_repair(pace),
        identity=IdentityRule(
            patience=pace.patience,
            waiver_role=Role.REGENCY_SUPERVISOR,
            source="Proposal; a registry that is down is never taken for one that says no",
            strength=Strength.PROPOSAL,
        ),
        delivery=_delivery(pace),
        reasons=reasons,
        digest_every=pace.digest,
        digest_to=(Role.REGENCY_SECRETARY, Role.REGENT),
        remoteness_credits=remoteness_credits,
        extension_limit=ExtensionLimit(
            working_days=5,
            times=2,
            source="Proposal; at most once more the time of the longest stage",
            strength=Strength.PROPOSAL,
        ),
        publication=pace.publication,
        minutes=minutes,
        appeals=default_appeals(pace),
        conflicts=default_conflicts(pace),
        information=InformationRule(
            deadline=pace.answer_of_peers,
            ladder=(reminder(), supervisor(Role.REGENCY_SUPERVISOR, grants=MANAGE), *above(pace)),
            longest=pace.standing_for_peers,
            source="Proposal; a stage does not stand for ever because another office is silent",
            strength=Strength.PROPOSAL,
        ),
        lapse=LapseRule(
            after=pace.lapse,
            notice=pace.notice,
            reopen_within=pace.reopenable,
            source="Proposal; the household does not pay for its operator: told two weeks before, can come back",
            strength=Strength.PROPOSAL,
        ),
        document_wait=DocumentWaitRule(
            longest=pace.document_wait,
            source="Proposal; as long as Kemensos gave households without identity papers to get them",
            strength=Strength.PROPOSAL,
        ),
        ground_checks=default_ground_checks(pace),
        signoffs=default_signoffs(pace),
    )


_MINUTES = MinutesRule(
    quorum=tuple(
        GroupQuorum(group=group, at_least=1)
        for group in (
            AttendanceGroup.VILLAGE_HEAD,
            AttendanceGroup.VILLAGE_OPERATOR,
            AttendanceGroup.NEIGHBOURHOODS,
            AttendanceGroup.FAMILIES,
            AttendanceGroup.BABINSA,
        )
    ),
    signers=(Role.VILLAGE_HEAD, Role.VILLAGE_OPERATOR),
    scan_required=True,
    sptjm="per_case",
    source="Practice of SIKS-NG: who attends a musdes, who signs its minutes, and the SPTJM (Garut, Tlogojati)",
    strength=Strength.PRACTICE,
)

_ROUTES = (
    RouteRule(
        name="standard",
        kinds=frozenset(
            {
                Kind.NEW_HOUSEHOLD,
                Kind.CIRCUMSTANCES,
                Kind.ADD_MEMBER,
                Kind.SPLIT_HOUSEHOLD,
                Kind.MOVE_IN,
                Kind.GRADUATION,
                Kind.PROGRAMME_PROPOSAL,
                Kind.PBI_REACTIVATION,
            },
        ),
        stages=(Stage.IDENTITY_CHECK, *HUMAN_STAGES, Stage.DELIVERY),
        source="Practice of SIKS-NG (Garut, Lumajang, Tlogojati); PUSKESOS before the musdes is a proposal",
        strength=Strength.PROPOSAL,
    ),
    RouteRule(
        name="express",
        kinds=frozenset(
            {Kind.DEATH, Kind.MOVE_OUT, Kind.IDENTITY_CORRECTION, Kind.CHANGE_HEAD, Kind.MERGE_DUPLICATES},
        ),
        stages=(Stage.IDENTITY_CHECK, Stage.VERIFICATION, Stage.APPROVAL, Stage.DELIVERY),
        source="Proposal; facts that a paper proves need no deliberation",
        strength=Strength.PROPOSAL,
    ),
    RouteRule(
        name="objection",
        kinds=frozenset({Kind.OBJECTION, Kind.SELF_WITHDRAWAL}),
        stages=(Stage.IDENTITY_CHECK, Stage.VERIFICATION, Stage.APPROVAL, Stage.DELIVERY),
        source="Proposal; an objection is looked into by people who do not live beside it",
        strength=Strength.PROPOSAL,
    ),
)

_REMOTENESS_CREDITS = (
    RemotenessCredit(
        remoteness=1,
        working_days=2,
        source="Proposal; remote villages (terpencil)",
        strength=Strength.PROPOSAL,
    ),
    RemotenessCredit(
        remoteness=2,
        working_days=5,
        source="Proposal; very remote villages (sangat terpencil)",
        strength=Strength.PROPOSAL,
    ),
)


def _verification(pace: Pace) -> StageRule:
    """The district supervisor may decide: operator and PUSKESOS officer of a small village are often one person."""
    return StageRule(
        stage=Stage.VERIFICATION,
        deciders=(Role.PUSKESOS_OFFICER,),
        outcomes=_ANY_ANSWER,
        deadline=pace.verification,
        ladder=(reminder(), supervisor(Role.DISTRICT_SUPERVISOR, grants=DECIDE), *above(pace)),
        source="Proposal; within Lumajang's twenty working days for the whole service",
        strength=Strength.PROPOSAL,
    )


def _deliberation(pace: Pace) -> StageRule:
    return StageRule(
        stage=Stage.DELIBERATION,
        deciders=(Role.VILLAGE_HEAD,),
        outcomes=_ANY_ANSWER,
        deadline=pace.deliberation,
        ladder=(reminder(), supervisor(Role.DISTRICT_SUPERVISOR, grants=MANAGE), *above(pace)),
        needs_minutes=True,
        source="Practice of SIKS-NG: minutes signed by head and operator, or an SPTJM (Garut, Tlogojati)",
        strength=Strength.PRACTICE,
    )


def _approval(pace: Pace) -> StageRule:
    """The head of office only manages here: on the standard route that person has yet to endorse."""
    return StageRule(
        stage=Stage.APPROVAL,
        deciders=(Role.REGENCY_VERIFIER,),
        outcomes=_ANY_ANSWER,
        deadline=pace.approval,
        ladder=(reminder(), supervisor(Role.REGENCY_SUPERVISOR, grants=DECIDE), *above(pace)),
        source="Proposal; within Lumajang's twenty working days for the whole service",
        strength=Strength.PROPOSAL,
    )


def _endorsement(pace: Pace) -> StageRule:
    """No rung for the head of office, who holds this task. The assistant may sign, since no one decides after."""
    return StageRule(
        stage=Stage.ENDORSEMENT,
        deciders=(Role.REGENCY_HEAD,),
        outcomes=_ANY_ANSWER,
        deadline=pace.endorsement,
        ladder=(
            reminder(),
            supervisor(Role.REGENCY_SUPERVISOR, grants=MANAGE),
            assistant(pace, grants=DECIDE),
        ),
        source="Practice of SIKS-NG, 2025: endorsed by the head of office (Tlogojati); the days are a proposal",
        strength=Strength.PROPOSAL,
    )


def _repair(pace: Pace) -> StageRule:
    return StageRule(
        stage=Stage.REPAIR,
        deciders=(Role.VILLAGE_OPERATOR,),
        deadline=pace.repair,
        ladder=(reminder(), supervisor(Role.DISTRICT_SUPERVISOR, grants=MANAGE), *above(pace)),
        source="Proposal; overdue repair escalates: the household does not pay for its operator",
        strength=Strength.PROPOSAL,
    )


def _delivery(pace: Pace) -> DeliveryRule:
    """While the Ministry has the case nobody here holds it, so the verifier is reminded to ask."""
    reminder = Rung(
        after=Share(share=0.5),
        action=RungAction.REMIND,
        to=Role.REGENCY_VERIFIER,
        source=LADDER_SOURCE,
    )
    return DeliveryRule(
        ministry=True,
        push_deadline=pace.push,
        answer_deadline=pace.answer,
        ladder=(reminder, supervisor(Role.REGENCY_SUPERVISOR, grants=MANAGE), *above(pace)),
        source="Proposal; no time for the Ministry's answer could be read in a regulation",
        strength=Strength.PROPOSAL,
    )
