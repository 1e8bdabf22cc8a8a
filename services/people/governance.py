"""Who administers which account: the desk at which it is done, and the seat in which."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import User
from db.session import Viewer
from domain.authority import Actor, Permission, Seat
from domain.errors import NotFound
from domain.people import Held, seat_to_govern
from domain.vocabulary import Role

_REACH: Final = text("SELECT role, area_code FROM kawal_reach(:user_id, :at)")


def desk_of(actor: Actor) -> Viewer:
    """A transaction of somebody who administers accounts."""
    return Viewer.at_desk(actor, Permission.PEOPLE_MANAGE)


async def governing_seat(connection: AsyncConnection, actor: Actor, user_id: UUID, *, at: datetime) -> Seat:
    """The seat in which `actor` governs an account, with all that it holds now or later and all that is lent to it.

    Raises NotFound for an account that is not in view, Forbidden for one's own and for one that reaches beyond the
    actor's area or tier.
    """
    home = await connection.scalar(select(User.area_code).where(User.id == user_id))
    if home is None:
        raise NotFound(f"There is no account {user_id} for you.")
    rows = await connection.execute(_REACH, {"user_id": user_id, "at": at})
    held = [Held(role=Role(row.role), area_code=row.area_code) for row in rows]
    return seat_to_govern(actor, user_id=user_id, home=home, held=held)
