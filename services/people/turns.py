"""Acts on the same thing one after the other, where no row stands for it that the actor could lock.

Row security lets a row be locked by whoever may change it: the office of a regency, in which an administrator of a
district appoints, is not theirs.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:thing, 0))")
_BESIDE_OTHERS: Final = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:thing, 0))")


async def take_turn(connection: AsyncConnection, subject: str, which: UUID | str) -> None:
    """Wait until no other transaction has a part in this; what is read from now on knows of what they did."""
    await connection.execute(_ALONE, {"thing": f"{subject}:{which}"})


async def take_part(connection: AsyncConnection, subject: str, which: UUID | str) -> None:
    """The same beside others who take part, and not beside anybody who takes a turn."""
    await connection.execute(_BESIDE_OTHERS, {"thing": f"{subject}:{which}"})
