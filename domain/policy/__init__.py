"""Policy: what a regency decides about the life of a case, as validated, versioned data."""

from __future__ import annotations

from domain.policy.canonical import canonical_json
from domain.policy.model import (
    DeliveryRule,
    ExtensionLimit,
    IdentityRule,
    Policy,
    Power,
    RemotenessCredit,
    RouteRule,
    Rung,
    RungAction,
    StageRule,
)

__all__ = [
    "DeliveryRule",
    "ExtensionLimit",
    "IdentityRule",
    "Policy",
    "Power",
    "RemotenessCredit",
    "RouteRule",
    "Rung",
    "RungAction",
    "StageRule",
    "canonical_json",
]
