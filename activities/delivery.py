"""Handing an approved change to the Ministry, once, however often the hand-over is tried."""

from __future__ import annotations

from sqlalchemy import select
from temporalio import activity

from activities.casework.work import Desk, Work, work_on
from activities.clock import EngineClock
from db.models import Decision, Update
from domain.changes import without_objector
from domain.contracts import ActivityName, PushToMinistry
from domain.ids import push_key
from runtime.connectors.ministry import MinistryClient, Proposal


class Delivery:
    """The activity that pushes to the Ministry, on a queue of its own."""

    def __init__(self, desk: Desk, ministry: MinistryClient) -> None:
        self._desk = desk
        self._ministry = ministry

    @activity.defn(name=ActivityName.PUSH_TO_MINISTRY)
    async def push_to_ministry(self, command: PushToMinistry) -> str:
        """Hand the change over under the task's key and answer with the receipt number.

        No connection is held meanwhile. PartnerUnavailable fails the attempt, and the engine tries again.
        """
        async with work_on(self._desk, command.update_id, at=EngineClock().now()) as work:
            proposal = await _proposal(work)
        receipt = await self._ministry.push(
            proposal,
            idempotency_key=push_key(command.update_id, task_id=command.task_id),
        )
        return receipt.receipt_no


async def _proposal(work: Work) -> Proposal:
    revision = await work.revision()
    decided = await work.connection.execute(
        select(Decision.stage, Decision.outcome, Decision.actor_role, Decision.minutes, Decision.decided_at)
        .where(Decision.update_id == work.case.id, Decision.decided_by.in_(("officer", "timeout")))
        .order_by(Decision.decided_at, Decision.id),
    )
    submitted_at = await work.connection.scalar(select(Update.submitted_at).where(Update.id == work.case.id))
    return Proposal.model_validate(
        {
            "update_id": str(work.case.id),
            "kind": work.case.kind,
            "area_code": work.case.area_code,
            "household_version": work.case.base_version,
            "change": without_objector(revision.change).model_dump(mode="json", exclude_none=True),
            "decided": [
                {
                    "stage": row.stage,
                    "outcome": row.outcome,
                    "role": row.actor_role,
                    "minutes": row.minutes,
                    "at": row.decided_at.isoformat(),
                }
                for row in decided
            ],
            "submitted_at": submitted_at,
        },
    )
