"""What tests of people do: hire somebody as the operator would, send, end and read as one of the demo's people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, text
from sqlalchemy.dialects.postgresql import insert as upsert

from activities.vacancies import AuthorityChanged, wake_vacant
from db.models import Area, Membership, Office, Session, User
from db.repositories.trail import read_stream
from devstack.demo_people import demo_id
from domain.audit_verification import verify_stream
from domain.contracts import PassMilestone
from domain.ids import new_id
from domain.sessions import SessionKind
from domain.vocabulary import Role, Tier
from tests.api.reads.casebook import Casebook
from tests.scene import SYSTEM, session_of, user


def _area(code: str) -> dict[str, Any]:
    return {"code": code, "level": code.count(".") + 1, "name": f"Area {code}", "zone": "Asia/Jakarta"}


@dataclass(slots=True)
class Staff(Casebook):
    """A casebook, and the people who work on it."""

    async def hire(self, username: str, role: Role, area_code: str, *, home: str | None = None) -> UUID:
        """An account with an appointment, of the id by which `signed` knows it; the id of the appointment."""
        membership_id = new_id()
        async with self.scene.as_owner() as connection:
            account = {"id": user(username), "username": username, "display_name": username, "password_hash": ""}
            known = await connection.scalar(text("SELECT id FROM users WHERE username = :name"), {"name": username})
            if known is None:
                values = account | {"created_at": self.clock.at, "area_code": home or area_code}
                await connection.execute(insert(User).values(values))
            await connection.execute(upsert(Area).values(_area(area_code)).on_conflict_do_nothing())
            office = {"id": new_id(), "name": f"Kantor {username}", "tier": Tier.REGENCY.value, "area_code": area_code}
            await connection.execute(insert(Office).values(office))
            seat = {"id": membership_id, "user_id": user(username), "role": role.value, "office_id": office["id"]}
            await connection.execute(
                insert(Membership).values(seat | {"area_code": area_code, "valid_from": self.clock.at})
            )
        await self.sign_in(user(username))
        return membership_id

    async def sign_in(self, user_id: UUID) -> None:
        """The session in which `signed` presents somebody, begun anew if it was ended."""
        now = self.clock.at
        until = now + timedelta(days=3650)
        session = {"id": session_of(user_id), "user_id": user_id, "kind": SessionKind.TOKEN.value}
        moments = {"created_at": now, "seen_at": now, "expires_at": until, "ends_at": until}
        async with self.scene.as_owner() as connection:
            over = delete(Session).where(Session.id == session["id"], Session.ended_at.is_not(None))
            await connection.execute(over)
            await connection.execute(upsert(Session).values(session | moments).on_conflict_do_nothing())

    async def send(self, username: str, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        headers = self.signed(username) | {"Idempotency-Key": key or str(new_id())}
        return await self.client.request(method, path, json=body, headers=headers)

    async def done(self, username: str, method: str, path: str, body: Any = None) -> Any:
        """The same, which has to succeed; what was answered."""
        answer = await self.send(username, method, path, body)
        assert answer.status_code in {200, 201, 204}, answer.text
        return answer.json() if answer.content else None

    async def refused(self, username: str, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """The same, which has to be refused; the status and the code, or the code of the one field at fault."""
        answer = await self.send(username, method, path, body)
        problem = answer.json()
        codes = [violation["code"] for violation in problem.get("violations", [])]
        return answer.status_code, codes[0] if len(codes) == 1 else problem["code"]

    def membership(self, username: str, role: Role, area_code: str) -> str:
        """The id of an appointment of the demo."""
        return str(demo_id("membership", f"{username}/{role}/{area_code}"))

    def leave(self, membership_id: str | UUID, delegate: str | None, *, days: float = 5, **more: Any) -> dict[str, Any]:
        """The body of a leave that begins now."""
        return {
            "membership_id": str(membership_id),
            "delegate_id": delegate and str(user(delegate)),
            "valid_to": (self.clock.at + timedelta(days=days)).isoformat(),
            "reason": "annual_leave",
            **more,
        }

    async def milestone(self, update_id: UUID) -> None:
        """The engine looks at the open task now."""
        task_id = (await self.scene.case(update_id)).task
        await self.casework.pass_milestone(PassMilestone(update_id=update_id, task_id=task_id, at=self.clock.at))

    async def queue(self, username: str) -> list[str]:
        """The cases of somebody's queue."""
        return [task["update_id"] for task in (await self.read(username, "/v1/tasks"))["items"]]

    async def account_events(self, user_id: UUID) -> list[Any]:
        """The trail of an account, which has to be whole."""
        stream = f"account:{user_id}"
        async with self.scene.worker.transaction(SYSTEM) as connection:
            events, head = await read_stream(connection, stream)
        assert verify_stream(stream, events, head=head) == []
        return [stored.event for stored in events]

    async def look_again(self) -> list[UUID]:
        """What the dispatcher does with messages of changed authority that are due; the cases it wakes, and climbs."""
        due = await self.scene.rows(
            "UPDATE outbox SET done_at = :at WHERE topic = 'authority_changed' AND done_at IS NULL "
            "AND available_at <= :at RETURNING subject_id, payload",
            at=self.clock.at,
        )
        for message in due:
            changed, membership_id = AuthorityChanged.model_validate(message.payload), message.subject_id
            await wake_vacant(self.scene.worker, changed, membership_id=membership_id, at=self.clock.at)
        woken = await self.scene.rows(
            "UPDATE outbox SET done_at = :at WHERE topic = 'signal_deadline_moved' AND done_at IS NULL "
            "RETURNING subject_id, payload",
            at=self.clock.at,
        )
        for message in woken:
            task_id = UUID(message.payload["task_id"])
            await self.casework.pass_milestone(
                PassMilestone(update_id=message.subject_id, task_id=task_id, at=self.clock.at)
            )
        return [message.subject_id for message in woken]
