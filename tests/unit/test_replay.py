"""Where a case stands, told by its events alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.audit import AuditEvent, AuditType
from domain.replay import Difference, Standing, differences, replay
from domain.vocabulary import Status

BEGUN = datetime(2026, 3, 2, 1, 15, tzinfo=UTC)
STORY: list[tuple[AuditType, Status | None, dict[str, Any]]] = [
    (AuditType.UPDATE_SUBMITTED, Status.RECEIVED, {"kind": "death", "policy": "p", "revision": 1}),
    (AuditType.UPDATE_ENGINE_STARTED, None, {"run": "r"}),
    (AuditType.TASK_OPENED, Status.IN_VERIFICATION, {"stage": "verification"}),
    (AuditType.TASK_REMINDED, None, {"rung": 0}),
    (AuditType.TASK_ESCALATED, None, {"level": 1, "cause": "deadline"}),
    (AuditType.TASK_DECIDED, None, {"stage": "verification", "outcome": "return"}),
    (AuditType.TASK_OPENED, Status.RETURNED, {"stage": "repair"}),
    (AuditType.UPDATE_RESUBMITTED, None, {"revision": 2}),
    (AuditType.TASK_OPENED, Status.IN_APPROVAL, {"stage": "approval"}),
    (AuditType.TASK_ESCALATED, None, {"level": 1, "cause": "no_eligible_decider"}),
    (AuditType.UPDATE_CLOSED, Status.REJECTED, {"reason": "duplicate"}),
]


def after(count: int) -> Standing:
    return replay(
        AuditEvent(stream="update:1", seq=seq, at=BEGUN + timedelta(hours=seq), type=kind, status=status, data=data)
        for seq, (kind, status, data) in enumerate(STORY[:count], start=1)
    )


def test_every_event_moves_the_case_as_the_table_was_moved() -> None:
    begun = Standing(kind="death", policy="p", status="received", revision=1)
    assert after(0) == Standing()
    assert after(2) == begun
    told = [(s.status, s.stage, s.level, s.cause, s.revision) for s in map(after, (4, 5, 7, 8, 10, 11))]
    assert told == [
        ("in_verification", "verification", 0, None, 1),
        ("in_verification", "verification", 1, "deadline", 1),
        ("returned", "repair", 0, None, 1),
        ("returned", "repair", 0, None, 2),
        ("in_approval", "approval", 1, "no_eligible_decider", 2),
        ("rejected", None, 0, None, 2),
    ]
    assert after(11).closed_at == BEGUN + timedelta(hours=11)


def test_what_differs_is_named() -> None:
    table = Standing(kind="death", policy="p", status="applied", stage="verification", level=1, revision=1)
    assert list(differences(table, after(4))) == [
        Difference("status", "applied", "in_verification"),
        Difference("level", "1", "0"),
    ]
    assert list(differences(after(9), after(9))) == []
