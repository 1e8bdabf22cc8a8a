"""The names that other issuers have for whoever an account belongs to."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from db.models import User
from db.repositories.identities import list_of_account
from domain.authority import Actor
from domain.errors import NotFound
from services.kawal import Kawal
from services.queries.people.desks import people_desk


class IdentityFacts(NamedTuple):
    """One name."""

    id: UUID
    issuer: str
    subject: str
    bound_at: datetime
    bound_by: UUID | None


async def list_identities(kawal: Kawal, actor: Actor, user_id: UUID) -> list[IdentityFacts]:
    """The names of an account that the actor sees. Raises NotFound."""
    async with kawal.database.transaction(people_desk(actor)) as connection:
        if await connection.scalar(select(User.id).where(User.id == user_id)) is None:
            raise NotFound(f"There is no account {user_id} for you.")
        rows = await list_of_account(connection, user_id)
    return [IdentityFacts(row.id, row.issuer, row.subject, row.bound_at, row.bound_by) for row in rows]


async def read_identity(kawal: Kawal, actor: Actor, user_id: UUID, identity_id: UUID) -> IdentityFacts:
    """One name. Raises NotFound, also where it was taken away since it was bound under the same key."""
    for facts in await list_identities(kawal, actor, user_id):
        if facts.id == identity_id:
            return facts
    raise NotFound(f"The account has no identity {identity_id}.")
