"""Every table, one module an aggregate."""

from db.models.api_keys import ApiKey, ApiKeySecret
from db.models.base import Base
from db.models.casework import (
    ClockInterval,
    Decision,
    Escalation,
    IdentityResult,
    MinistryAnswer,
    Notification,
    Revision,
    Task,
    TaskGrant,
    Update,
)
from db.models.clocks import ClockJob, ClockOrderRecord
from db.models.comments import Comment
from db.models.disclosure import Reading, UnmaskRequest
from db.models.evaluations import Evaluation, EvaluationMeasure, EvaluationObservation
from db.models.evidence import Evidence, EvidenceUpload, UpdateEvidence
from db.models.governance import (
    AuditOrigin,
    AuditRecord,
    AuditStream,
    Calendar,
    IdempotencyKey,
    OutboxMessage,
    PolicyVersion,
)
from db.models.ground_checks import AreaPoint, GroundCheck, GroundReport
from db.models.minutes import MinutesCase, MinutesRecord
from db.models.people import (
    AccountDigest,
    AccountMatch,
    Area,
    Delegation,
    ForeignIdentity,
    Membership,
    Office,
    User,
)
from db.models.policies import DraftRevision, PolicyAnswer, PolicyComment, PolicyDraft, PolicyTurn
from db.models.proof import AuditCheckpoint, AuditKey, AuditMark
from db.models.registry import Household, HouseholdMember, HouseholdVersion, IdentityDigest
from db.models.retention import LegalHold
from db.models.rights import DataSubjectDigest, DataSubjectExport, DataSubjectRequest
from db.models.rounds import RoundBaseline, RoundRoll, RoundTerms, UpdateRound
from db.models.sessions import RefreshToken, Session
from db.models.signoffs import RoundSignoff
from db.models.tallies import SignInTally
from db.models.waits import DocumentWait, InformationRequest, LapseNotice
from db.models.work_lists import RoundMove, RoundTarget, RoundVillage

__all__ = [
    "AccountDigest",
    "AccountMatch",
    "ApiKey",
    "ApiKeySecret",
    "Area",
    "AreaPoint",
    "AuditCheckpoint",
    "AuditKey",
    "AuditMark",
    "AuditOrigin",
    "AuditRecord",
    "AuditStream",
    "Base",
    "Calendar",
    "ClockInterval",
    "ClockJob",
    "ClockOrderRecord",
    "Comment",
    "DataSubjectDigest",
    "DataSubjectExport",
    "DataSubjectRequest",
    "Decision",
    "Delegation",
    "DocumentWait",
    "DraftRevision",
    "Escalation",
    "Evaluation",
    "EvaluationMeasure",
    "EvaluationObservation",
    "Evidence",
    "EvidenceUpload",
    "ForeignIdentity",
    "GroundCheck",
    "GroundReport",
    "Household",
    "HouseholdMember",
    "HouseholdVersion",
    "IdempotencyKey",
    "IdentityDigest",
    "IdentityResult",
    "InformationRequest",
    "LapseNotice",
    "LegalHold",
    "Membership",
    "MinistryAnswer",
    "MinutesCase",
    "MinutesRecord",
    "Notification",
    "Office",
    "OutboxMessage",
    "PolicyAnswer",
    "PolicyComment",
    "PolicyDraft",
    "PolicyTurn",
    "PolicyVersion",
    "Reading",
    "RefreshToken",
    "Revision",
    "RoundBaseline",
    "RoundMove",
    "RoundRoll",
    "RoundSignoff",
    "RoundTarget",
    "RoundTerms",
    "RoundVillage",
    "Session",
    "SignInTally",
    "Task",
    "TaskGrant",
    "UnmaskRequest",
    "Update",
    "UpdateEvidence",
    "UpdateRound",
    "User",
]
