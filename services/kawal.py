"""The composition root of the serving side: what every service works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from db.repositories.rules import Rules
from db.session import Database
from db.vault import Vault
from runtime.engine import Engine
from runtime.evidence.room import EvidenceRoom


def utc_now() -> datetime:
    """The moment, for processes that serve people; everything below them is told the time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Kawal:
    """The application's database (as `kawal_app`), its vault and rules, the engine, the evidence, and a clock."""

    database: Database
    vault: Vault
    rules: Rules
    engine: Engine
    evidence: EvidenceRoom
    now: Callable[[], datetime] = utc_now
