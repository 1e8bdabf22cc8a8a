"""What a regency decides about the life of a case: routes, stages, deadlines, ladders, reasons.

Data, with no behaviour beyond looking things up. A value of these types is well formed but not yet right:
`domain.policy.validation.parse_policy` is the way in, and what it returns keeps every promise of the look-ups
below. A published policy never changes; a case keeps its version.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeVar

from pydantic import Field, NonNegativeInt, PositiveInt

from domain.durations import Duration, Share, WorkingDays
from domain.pauses import PauseCause
from domain.policy.disputes import AppealsRule, ConflictsRule, dispute_stage
from domain.policy.ground_checks import GroundChecksRule, ground_stage
from domain.policy.retention import DEFAULT_RETENTION, RetentionRule
from domain.policy.reverification import DEFAULT_REVERIFICATION, ReverificationRule
from domain.policy.signoffs import SignoffsRule
from domain.policy.stages import ListOf, Power, Rung, RungAction, SetOf, StageRule
from domain.policy.waits import DocumentWaitRule, InformationRule, LapseRule
from domain.provenance import Bilingual, Datum, Provenance
from domain.reasons import ReasonRule
from domain.text import ShortText
from domain.vocabulary import DISPUTE_STAGES, AttendanceGroup, Kind, Outcome, ReasonCode, Role, Stage, Strength

_Item = TypeVar("_Item")


class IdentityRule(Provenance):
    """How long the civil registry may be down before `waiver_role` may let the case go on, to be checked later."""

    patience: Duration
    waiver_role: Role


class DeliveryRule(Provenance):
    """What happens after the last human stage.

    With `ministry` the change is pushed within `push_deadline`, its answer awaited for `answer_deadline`, and
    the ladder tells who follows up a silent Ministry; acceptance applies the change. Without it, delivery applies
    the change at once and pushes nothing; so does the end of a route that has no delivery.
    """

    ministry: bool
    push_deadline: Duration
    answer_deadline: Duration
    ladder: ListOf[Rung]


class RouteRule(Provenance):
    """The stages, in order, that these kinds of update pass."""

    name: ShortText
    kinds: SetOf[Kind]
    stages: ListOf[Stage]


class RemotenessCredit(Provenance):
    """Working days that villages of this class (`areas.remoteness`) get on top of a deadline in working days."""

    remoteness: PositiveInt
    working_days: PositiveInt


class ExtensionLimit(Provenance):
    """How far a supervisor may move a deadline: so many working days each time, so many times a task."""

    working_days: NonNegativeInt
    times: NonNegativeInt


class PublicationRule(Provenance):
    """How the next policy of the area comes about.

    A draft is on show for `consultation` before it may be published. In an emergency it may be published at once, for
    `emergency` at most: by then it is confirmed after a consultation, or the policy before it is in force again.
    """

    consultation: Duration
    emergency: Duration


DEFAULT_PUBLICATION = PublicationRule(
    consultation=WorkingDays(working_days=5),
    emergency=WorkingDays(working_days=15),
    source="Proposal; a week for villages to answer, and three in which an emergency can be consulted on",
    strength=Strength.PROPOSAL,
)
"""What holds where a policy says nothing about it, as those do that are older than the rule."""


class GroupQuorum(Datum):
    """How many of a group have to attend at least."""

    group: AttendanceGroup
    at_least: PositiveInt


class MinutesRule(Provenance):
    """What makes minutes of a deliberation good, and whether an SPTJM may stand in for them.

    `signers` are the roles whose signatures the paper carries. An SPTJM answers for the cases that it lists
    (`per_case`), or also for every case of the village that was submitted by its day (`per_village`).
    """

    quorum: ListOf[GroupQuorum]
    signers: ListOf[Role]
    scan_required: bool
    sptjm: Literal["not_accepted", "per_case", "per_village"]


class Policy(Datum):
    """The rules of one regency (`area_code` like `32.06`) or of the nation (`*`), in one version.

    `stages` holds the human stages; the system's own two are derived from `identity` and `delivery`. Past the
    last rung a digest goes to `digest_to` every `digest_every`, unless the stage itself is settled by silence.
    Without `minutes`, as in versions of before they were records, a deliberation names them by their number alone.
    Without `appeals` a rejection is final, without `conflicts` a no stands whoever said yes. Without `document_wait` no
    repair waits for a paper, without `lapse` no case ends because nobody mends it, without `information` no other
    office is asked, without `ground_checks` nobody is sent to look, and without `signoffs` villages propose nothing.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")
    title: Bilingual
    area_code: str = Field(pattern=r"^(\*|[0-9]{2}\.[0-9]{2})$")
    routes: ListOf[RouteRule]
    stages: ListOf[StageRule]
    repair: StageRule
    identity: IdentityRule
    delivery: DeliveryRule
    reasons: ListOf[ReasonRule]
    on_exhausted: Literal["hold"] = "hold"
    digest_every: Duration
    digest_to: ListOf[Role]
    remoteness_credits: ListOf[RemotenessCredit] = ()
    extension_limit: ExtensionLimit
    retention: ListOf[RetentionRule] = DEFAULT_RETENTION
    publication: PublicationRule = DEFAULT_PUBLICATION
    reverification: ReverificationRule = DEFAULT_REVERIFICATION
    minutes: MinutesRule | None = None
    appeals: AppealsRule | None = None
    conflicts: ConflictsRule | None = None
    document_wait: DocumentWaitRule | None = None
    lapse: LapseRule | None = None
    information: InformationRule | None = None
    ground_checks: GroundChecksRule | None = None
    signoffs: SignoffsRule | None = None

    def offers(self, kind: Kind) -> bool:
        """Whether a route takes this kind: a version published before the kind existed has none."""
        return any(kind in route.kinds for route in self.routes)

    def route_of(self, kind: Kind) -> RouteRule:
        """The one route of a kind. Raises LookupError on a policy that was never validated."""
        return _the_one((route for route in self.routes if kind in route.kinds), f"route for {kind}")

    def stage(self, stage: Stage, *, contested: Stage | None = None) -> StageRule:
        """The rule of any stage, the system's and REPAIR too; of those of a dispute by the stage that said no.

        Raises LookupError where the policy has none.
        """
        if stage in DISPUTE_STAGES:
            return dispute_stage(stage, contested, appeals=self.appeals, conflicts=self.conflicts)
        match stage:
            case Stage.REPAIR:
                return self.repair
            case Stage.GROUND_CHECK:
                return ground_stage(self.ground_checks)
            case Stage.IDENTITY_CHECK:
                return _identity_stage(self.identity)
            case Stage.DELIVERY:
                return _delivery_stage(self.delivery)
            case _:
                return _the_one((rule for rule in self.stages if rule.stage is stage), f"stage {stage}")

    def next_stage(self, kind: Kind, after: Stage | None) -> Stage | None:
        """The stage that follows on the kind's route: the first after None, None after the last.

        Raises LookupError when `after` is not on the route, as REPAIR never is.
        """
        stages = self.route_of(kind).stages
        if after is None:
            return stages[0]
        if after not in stages:
            raise LookupError(f"{after} is not on the route of {kind}")
        position = stages.index(after) + 1
        return stages[position] if position < len(stages) else None

    def reason(self, code: ReasonCode) -> ReasonRule:
        """What a reason code means here. Raises LookupError on a policy that was never validated."""
        return _the_one((rule for rule in self.reasons if rule.code is code), f"reason {code}")

    def remoteness_credit(self, remoteness: int) -> int:
        """Extra working days for a village of this class; 0 where the policy names none, as for class 0."""
        return next((c.working_days for c in self.remoteness_credits if c.remoteness == remoteness), 0)


def _the_one(candidates: Iterable[_Item], what: str) -> _Item:
    for candidate in candidates:
        return candidate
    raise LookupError(f"the policy has no {what}")


def _identity_stage(rule: IdentityRule) -> StageRule:
    """A registry that stays down past the patience hands the case to the role that may waive the check: forward it.

    What the patience measures cannot also stop its clock, so that a registry that is down is no pause here.
    """
    waiver = Rung(
        after=Share(share=1.0),
        action=RungAction.ESCALATE,
        to=rule.waiver_role,
        grants=frozenset({Power.MANAGE, Power.DECIDE}),
        source=rule.source,
    )
    return StageRule(
        stage=Stage.IDENTITY_CHECK,
        outcomes=frozenset({Outcome.FORWARD}),
        deadline=rule.patience,
        ladder=(waiver,),
        pauses=frozenset(PauseCause) - {PauseCause.CIVIL_REGISTRY_UNAVAILABLE},
        source=rule.source,
        strength=rule.strength,
    )


def _delivery_stage(rule: DeliveryRule) -> StageRule:
    """The clock of delivery is the wait for the Ministry's answer; the push has a deadline of its own."""
    return StageRule(
        stage=Stage.DELIVERY,
        deadline=rule.answer_deadline,
        ladder=rule.ladder,
        source=rule.source,
        strength=rule.strength,
    )
