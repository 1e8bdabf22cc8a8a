"""What it takes to play a visit to the field: photos, where a village is, a comment of somebody, a leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from db.models import Delegation
from db.repositories import trail
from db.repositories.trail import Doer, Entry, stream_of_update
from devstack.demo_people import TARAJU
from domain.audit import AuditType
from domain.contracts import Act, ActKind, StepTaken
from domain.ground_checks import GroundCheckOrder, GroundReportInput
from domain.ids import new_id
from domain.requests import GroundCheckRequest
from domain.vocabulary import GroundCheckReason, Role
from tests.casework.play import Play
from tests.ground import LOOKER, found
from tests.scene import Scene, user


@dataclass(frozen=True, slots=True)
class Field:
    """The field around a case."""

    play: Play

    @property
    def scene(self) -> Scene:
        return self.play.scene

    async def report(
        self, update_id: UUID, by: str = LOOKER, *, task_id: UUID | None = None, **changes: Any
    ) -> StepTaken:
        """Report what was found, with a photo that was uploaded for it."""
        return await self.play.look(update_id, by, task_id=task_id, **changes)

    async def found(self) -> GroundReportInput:
        """What is said to have been found, now and here."""
        return await found(self.scene, at=self.play.now)

    async def ask(self, update_id: UUID, by: str) -> StepTaken:
        """An officer asks for somebody to look."""
        order = GroundCheckOrder(reason=GroundCheckReason.FACTS_DOUBTED, note="Rumahnya lain dari fotonya.")
        act_id = await self.scene.ask(update_id, by, GroundCheckRequest(body=order))
        task_id = (await self.play.case(update_id)).task
        return await self.play.record(update_id, Act(act_id=act_id, kind=ActKind.DECIDE, task_id=task_id))

    async def comment(self, update_id: UUID, by: str) -> None:
        """The trail tells that somebody has said something about the case."""
        said = Entry(type=AuditType.UPDATE_COMMENTED, by=Doer(user_id=user(by), role=Role.GROUND_CHECKER))
        async with self.scene.as_owner() as connection:
            stream = stream_of_update(update_id)
            await trail.record(connection, stream, [said], at=self.play.now, area_code=TARAJU)

    async def lend(self, holder: str, *, to: str) -> None:
        """Somebody goes on leave, and somebody else stands in for them."""
        of_holder = "SELECT id, area_code FROM memberships WHERE user_id = :holder"
        membership = await self.scene.one(of_holder, holder=user(holder))
        async with self.scene.as_owner() as connection:
            await connection.execute(
                insert(Delegation).values(
                    id=new_id(),
                    membership_id=membership.id,
                    area_code=membership.area_code,
                    holder_id=user(holder),
                    delegate_id=user(to),
                    valid_from=self.play.now - timedelta(days=1),
                    valid_to=self.play.now + timedelta(days=30),
                    reason="annual_leave",
                    created_at=self.play.now,
                ),
            )
