"""The words of the field, once: kinds, stages, roles, outcomes, statuses, causes and reason codes.

The Indonesian term stands beside each in `docs/glossary.md`; these values are what the API speaks and what
PostgreSQL stores as text under a CHECK constraint.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """What a household update proposes (jenis usulan)."""

    NEW_HOUSEHOLD = "new_household"
    CIRCUMSTANCES = "circumstances"
    IDENTITY_CORRECTION = "identity_correction"
    ADD_MEMBER = "add_member"
    DEATH = "death"
    MOVE_OUT = "move_out"
    MOVE_IN = "move_in"
    SPLIT_HOUSEHOLD = "split_household"
    CHANGE_HEAD = "change_head"
    MERGE_DUPLICATES = "merge_duplicates"
    GRADUATION = "graduation"
    SELF_WITHDRAWAL = "self_withdrawal"
    PROGRAMME_PROPOSAL = "programme_proposal"
    PBI_REACTIVATION = "pbi_reactivation"
    OBJECTION = "objection"


class Stage(StrEnum):
    """A step of a route (tahap). No route of a policy names REPAIR, where a returned case waits for its operator.

    Nor GROUND_CHECK, where somebody looks in the field before the next stage decides.
    Nor those of a dispute: APPEAL, with which the case of an appeal begins; OPINION, in which the two offices of an
    authority conflict are heard, and CONFLICT, in which somebody outside both decides.
    """

    IDENTITY_CHECK = "identity_check"
    VERIFICATION = "verification"
    DELIBERATION = "deliberation"
    APPROVAL = "approval"
    ENDORSEMENT = "endorsement"
    DELIVERY = "delivery"
    REPAIR = "repair"
    APPEAL = "appeal"
    OPINION = "opinion"
    CONFLICT = "conflict"
    GROUND_CHECK = "ground_check"


HUMAN_STAGES = (Stage.VERIFICATION, Stage.DELIBERATION, Stage.APPROVAL, Stage.ENDORSEMENT)
"""The stages a route sends to people for a decision; repair is human too, but no decision."""

CONFLICT_STAGES = frozenset({Stage.OPINION, Stage.CONFLICT})
"""Where a case is while two offices disagree about it."""

DISPUTE_STAGES = CONFLICT_STAGES | {Stage.APPEAL}
"""Stages whose rule depends on what is contested: the stage that said no."""


class Role(StrEnum):
    """What a membership makes of a person in an office and an area (peran)."""

    VILLAGE_OPERATOR = "village_operator"
    VILLAGE_HEAD = "village_head"
    VILLAGE_COUNCIL = "village_council"
    PUSKESOS_OFFICER = "puskesos_officer"
    GROUND_CHECKER = "ground_checker"
    DISTRICT_SUPERVISOR = "district_supervisor"
    SUBDISTRICT_HEAD = "subdistrict_head"
    REGENCY_VERIFIER = "regency_verifier"
    REGENCY_SUPERVISOR = "regency_supervisor"
    REGENCY_HEAD = "regency_head"
    REGENCY_ASSISTANT = "regency_assistant"
    REGENCY_SECRETARY = "regency_secretary"
    REGENT = "regent"
    INSPECTORATE = "inspectorate"
    DATA_PROTECTION_OFFICER = "data_protection_officer"
    PROVINCE_OBSERVER = "province_observer"
    MINISTRY_OFFICER = "ministry_officer"
    PLANNER = "planner"
    EVALUATOR = "evaluator"
    ADMINISTRATOR = "administrator"
    PEER_OFFICER = "peer_officer"
    SERVICE = "service"


SINGULAR_ROLES = frozenset(
    {
        Role.VILLAGE_HEAD,
        Role.SUBDISTRICT_HEAD,
        Role.REGENCY_HEAD,
        Role.REGENCY_ASSISTANT,
        Role.REGENCY_SECRETARY,
        Role.REGENT,
    },
)
"""Roles that one person holds in an area: who has decided once as one of these leaves nobody else to do it."""


class Tier(StrEnum):
    """The level of government that an office stands on, and that its area is a node of."""

    VILLAGE = "village"
    DISTRICT = "district"
    REGENCY = "regency"
    PROVINCE = "province"
    NATION = "nation"


class Outcome(StrEnum):
    """What a human stage answers (keputusan). UPHOLD (the rejection stands) and OVERTURN answer an appeal alone."""

    FORWARD = "forward"
    RETURN = "return"
    REJECT = "reject"
    UPHOLD = "uphold"
    OVERTURN = "overturn"


ROUTE_OUTCOMES = frozenset({Outcome.FORWARD, Outcome.RETURN, Outcome.REJECT})
"""What a stage of a route, or of a conflict, can answer."""


class AppealGround(StrEnum):
    """Why a rejection is held to be wrong (dasar keberatan)."""

    FACTS_WRONG = "facts_wrong"
    NEW_EVIDENCE = "new_evidence"
    RULE_MISAPPLIED = "rule_misapplied"
    PROCEDURE = "procedure"


class PeerOffice(StrEnum):
    """An office outside the case that a paper or an answer is awaited from (instansi lain)."""

    CIVIL_REGISTRY_OFFICE = "civil_registry_office"
    SCHOOL = "school"
    HEALTH_SERVICE = "health_service"
    RELIGIOUS_AFFAIRS = "religious_affairs"
    COURT = "court"
    OTHER_VILLAGE = "other_village"


class DocumentWaitReason(StrEnum):
    """Why a paper is not there yet (sebab menunggu dokumen)."""

    BEING_ISSUED = "being_issued"
    BEING_CORRECTED = "being_corrected"
    BEING_REPLACED = "being_replaced"
    OFFICE_CLOSED = "office_closed"
    HARD_TO_GET_TO = "hard_to_get_to"


class ReopenReason(StrEnum):
    """Why a lapsed case is taken up again (sebab dibuka kembali)."""

    PAPER_CAME_LATE = "paper_came_late"
    HOUSEHOLD_AWAY = "household_away"
    OPERATOR_AT_FAULT = "operator_at_fault"
    NOT_REACHED = "not_reached"
    DISASTER = "disaster"


class GroundOutcome(StrEnum):
    """What somebody found who looked in the field (hasil verifikasi lapangan)."""

    FOUND_AS_REPORTED = "found_as_reported"
    DIFFERS = "differs"
    NOT_FOUND = "not_found"
    REFUSED = "refused"


class GroundCheckReason(StrEnum):
    """Why an officer asks for somebody to look in the field (alasan verifikasi lapangan)."""

    FACTS_DOUBTED = "facts_doubted"
    ADDRESS_DOUBTED = "address_doubted"
    PHOTO_DOUBTED = "photo_doubted"
    COMPLAINT = "complaint"


class MinutesType(StrEnum):
    """What a village decides by: minutes of a musdes (berita acara), or the SPTJM of its head where none was held."""

    MUSDES = "musdes"
    SPTJM = "sptjm"


class AttendanceGroup(StrEnum):
    """For whom somebody attended a musdes (unsur yang hadir)."""

    VILLAGE_HEAD = "village_head"
    VILLAGE_OPERATOR = "village_operator"
    VILLAGE_COUNCIL = "village_council"
    NEIGHBOURHOODS = "neighbourhoods"
    FAMILIES = "families"
    BABINSA = "babinsa"
    PUSKESOS = "puskesos"
    COMMUNITY = "community"


class Status(StrEnum):
    """The status of a case for lists; derived from its stage and its end, never set alone."""

    RECEIVED = "received"
    CHECKING = "checking"
    IN_VERIFICATION = "in_verification"
    IN_DELIBERATION = "in_deliberation"
    IN_APPROVAL = "in_approval"
    IN_ENDORSEMENT = "in_endorsement"
    IN_DELIVERY = "in_delivery"
    APPROVED_LOCAL = "approved_local"
    RETURNED = "returned"
    WAITING_DOCUMENT = "waiting_document"
    IN_CONFLICT = "in_conflict"
    IN_APPEAL = "in_appeal"
    APPLIED = "applied"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    SUPERSEDED = "superseded"


CLOSED_STATUSES = frozenset(
    {Status.APPLIED, Status.REJECTED, Status.WITHDRAWN, Status.LAPSED, Status.SUPERSEDED},
)


class EscalationCause(StrEnum):
    """Why a case has moved up the ladder."""

    DEADLINE = "deadline"
    NO_ELIGIBLE_DECIDER = "no_eligible_decider"
    AUTHORITY_CONFLICT = "authority_conflict"
    DATA_CONFLICT = "data_conflict"
    MANUAL = "manual"


class MatchResult(StrEnum):
    """What the civil registry says of one member. UNAVAILABLE is never a mismatch."""

    MATCHED = "matched"
    MISMATCHED = "mismatched"
    NOT_FOUND = "not_found"
    DECEASED = "deceased"
    UNAVAILABLE = "unavailable"


class Strength(StrEnum):
    """The legal strength of a rule. The defaults are proposals and are never shown as law."""

    NATIONAL = "national"
    LOCAL = "local"
    PRACTICE = "practice"
    PROPOSAL = "proposal"


class ReasonCode(StrEnum):
    """Why a case is returned or rejected. "Other" is not a code."""

    IDENTITY_MISMATCH = "identity_mismatch"
    IDENTITY_NO_DOCUMENT = "identity_no_document"
    IDENTITY_NOT_FOUND = "identity_not_found"
    DUPLICATE = "duplicate"
    DECEASED = "deceased"
    MOVED = "moved"
    NOT_FOUND_IN_FIELD = "not_found_in_field"
    REFUSED_SURVEY = "refused_survey"
    NOT_ELIGIBLE_MEANS = "not_eligible_means"
    EXCLUDED_OCCUPATION = "excluded_occupation"
    ALREADY_RECEIVING = "already_receiving"
    NO_DELIBERATION = "no_deliberation"
    INCOMPLETE_DOCUMENTS = "incomplete_documents"
    UNCLEAR_PHOTO = "unclear_photo"
    OUTSIDE_AREA = "outside_area"
    SOURCE_CONFLICT = "source_conflict"
    QUOTA = "quota"
    AFTER_CUTOFF = "after_cutoff"
    SUSPECTED_FALSE_STATEMENT = "suspected_false_statement"


class AreaLevel(IntEnum):
    """Depth of an area code: `32` is a province, `32.06.13.2001` a village."""

    PROVINCE = 1
    REGENCY = 2
    DISTRICT = 3
    VILLAGE = 4
