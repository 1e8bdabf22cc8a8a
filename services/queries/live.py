"""Where the workflow itself stands, for whoever doubts the tables."""

from __future__ import annotations

from uuid import UUID

from db.session import Viewer
from domain.authority import Actor, Permission
from domain.contracts import LiveCase
from domain.errors import NotFound
from runtime.engine import EngineHasNoCaseError
from services.kawal import Kawal
from services.queries.case import read_scoped_case


async def ask_live(kawal: Kawal, actor: Actor, update_id: UUID) -> LiveCase:
    """The workflow's own answer; no connection is held while it is asked.

    Raises NotFound outside the actor's area and where the engine has not taken the case up yet, or has forgotten it
    after its end; EngineUnavailable when the engine does not answer.
    """
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        case = await read_scoped_case(connection, actor, update_id, permission=Permission.UPDATES_READ)
    try:
        return await kawal.engine.live(update_id)
    except EngineHasNoCaseError:
        raise NotFound(
            f"The engine carries no such case; by the tables it is {case.status.value}.",
            remedy="A received case is started by itself; of a closed one the tables know all.",
        ) from None
