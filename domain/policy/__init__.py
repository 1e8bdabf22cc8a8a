"""Policy: what a regency decides about the life of a case, as validated, versioned data."""

from __future__ import annotations

from domain.policy.canonical import canonical_json
from domain.policy.default import BRISK_PUBLICATION, default_policy, demo_policy
from domain.policy.default_ground import without_draws
from domain.policy.disputes import AppealsRule, AppealTier, ConflictsRule, Dispute, OpinionRule
from domain.policy.ground_checks import (
    BY_HAND,
    MILLION,
    DrawTrigger,
    GroundChecksRule,
    KindTrigger,
    ReturnTrigger,
    Trigger,
    ValueTrigger,
)
from domain.policy.model import (
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
from domain.policy.retention import DEFAULT_RETENTION, RetentionRule, RetentionSubject, period_of
from domain.policy.reverification import ReverificationRule, RiskRule
from domain.policy.signoffs import SignoffRule, SignoffsRule
from domain.policy.stages import AtLeast, Power, Rung, RungAction, StageRule
from domain.policy.tables import dispute_table, ground_table, ladder_table, reasons_table, route_table, rules_table
from domain.policy.validation import RULES, check_policy, parse_policy
from domain.policy.waits import DocumentWaitRule, InformationRule, LapseRule

__all__ = [
    "BRISK_PUBLICATION",
    "BY_HAND",
    "DEFAULT_RETENTION",
    "MILLION",
    "RULES",
    "AppealTier",
    "AppealsRule",
    "AtLeast",
    "ConflictsRule",
    "DeliveryRule",
    "Dispute",
    "DocumentWaitRule",
    "DrawTrigger",
    "ExtensionLimit",
    "GroundChecksRule",
    "GroupQuorum",
    "IdentityRule",
    "InformationRule",
    "KindTrigger",
    "LapseRule",
    "MinutesRule",
    "OpinionRule",
    "Policy",
    "Power",
    "PublicationRule",
    "RemotenessCredit",
    "RetentionRule",
    "RetentionSubject",
    "ReturnTrigger",
    "ReverificationRule",
    "RiskRule",
    "RouteRule",
    "Rung",
    "RungAction",
    "SignoffRule",
    "SignoffsRule",
    "StageRule",
    "Trigger",
    "ValueTrigger",
    "canonical_json",
    "check_policy",
    "default_policy",
    "demo_policy",
    "dispute_table",
    "ground_table",
    "ladder_table",
    "parse_policy",
    "period_of",
    "reasons_table",
    "route_table",
    "rules_table",
    "without_draws",
]
