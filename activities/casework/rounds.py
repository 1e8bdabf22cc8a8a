"""For which round a case counts, and how long its delivery waits for that round to open."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from activities.casework.work import Work
from domain.lifecycle import Position
from domain.rounds import held_until, round_for
from domain.vocabulary import Stage, Status


async def count_for_round(work: Work, position: Position) -> dict[str, object]:
    """What a step that approves the case changes, by sending it to delivery: for which round it counts.

    Where there is no Ministry it is approved when it is applied. The Ministry's answer makes it no later round's.
    """
    delivered = position.stage is Stage.DELIVERY
    applied = position.status is Status.APPLIED and work.case.stage is not Stage.DELIVERY
    if not (delivered or applied):
        return {}
    found = round_for((await work.clocks()).rounds, work.at)
    work.case = replace(work.case, round_id=found and found.id)
    return {"round_id": work.case.round_id}


async def delivery_waits_until(work: Work) -> datetime | None:
    """When the round of a case opens that has been approved before; None where its delivery waits for nothing."""
    if work.case.stage is not Stage.DELIVERY or work.case.round_id is None:
        return None
    return held_until((await work.clocks()).rounds, work.case.round_id, now=work.at)


async def look_at_opening(work: Work, look: datetime | None) -> datetime | None:
    """When to look at the case again: at the latest when the round opens that its delivery waits for."""
    opens_at = await delivery_waits_until(work)
    return look if opens_at is None else min(look or opens_at, opens_at)
