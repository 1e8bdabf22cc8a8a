"""What the trail says of from where things were done, opened as an auditor of the database would."""

from __future__ import annotations

from typing import Any

from domain.audit import AuditEvent
from domain.origins import SealedTraces, Traces, open_traces
from tests.scene import VAULT, Scene


async def traces_of(scene: Scene, stream: str) -> dict[str, Traces | None]:
    """What is kept in a stream, by the commitment to it."""
    rows = await scene.rows("SELECT commitment, sealed FROM audit_origins WHERE stream = :stream", stream=stream)
    kept = [SealedTraces(bytes(row.commitment), bytes(row.sealed)) for row in rows]
    return {each.commitment.hex(): open_traces(each, VAULT.fields) for each in kept}


async def addresses(scene: Scene, stream: str, kind: str) -> list[str | None]:
    """From which address the events of a kind in a stream came, in their order."""
    events = await scene.rows(
        "SELECT origin FROM audit_events WHERE stream = :stream AND type = :kind ORDER BY seq", stream=stream, kind=kind
    )
    kept = await traces_of(scene, stream)
    shown = [kept[event.origin["traces"]] for event in events]
    return [traces and traces.address for traces in shown]


def means(events: list[AuditEvent]) -> list[Any]:
    """By which means each event came about."""
    return [event.origin and event.origin["means"] for event in events]
