"""What an update would change: each field before, as proposed, and as the registry holds it now."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field, JsonValue
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories.cases import CaseRecord, read_revision
from db.repositories.registry import read_counterpart, read_household
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.changes import FieldDiff, diff_change
from domain.household import Household
from services.kawal import Kawal
from services.queries.case import read_base, read_scoped_case
from services.queries.view import View


class FieldCompared(View):
    """A field with its three values; numbers of persons are masked."""

    pointer: str = Field(description="Where it stands in the household; members by their id")
    before: JsonValue = Field(description="In the version that the update was made on")
    proposed: JsonValue
    current: JsonValue = Field(description="In the registry now")
    moved: bool = Field(description="Somebody else has changed it since the update was made")


class Comparison(View):
    """The change of an update, field by field."""

    update_id: UUID
    revision: int
    base_version: int | None
    current_version: int | None
    fields: tuple[FieldCompared, ...]


async def compare_case(kawal: Kawal, actor: Actor, update_id: UUID) -> Comparison:
    """The latest revision of the update against its base and the registry. Raises NotFound or Forbidden."""
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        case = await read_scoped_case(connection, actor, update_id, permission=Permission.UPDATES_READ)
        revision = await read_revision(connection, case.id, case.revision, vault=kawal.vault)
        base = await read_base(kawal, connection, case)
        current = await _current(kawal, connection, case)
        other = await read_counterpart(connection, revision.change, vault=kawal.vault)
    return Comparison(
        update_id=case.id,
        revision=case.revision,
        base_version=case.base_version,
        current_version=None if current is None else current.version,
        fields=tuple(_compared(diff) for diff in diff_change(revision.change, base, current, other=other)),
    )


async def _current(kawal: Kawal, connection: AsyncConnection, case: CaseRecord) -> Household | None:
    if case.household_id is None:
        return None
    return await read_household(connection, case.household_id, vault=kawal.vault)


def _compared(diff: FieldDiff) -> FieldCompared:
    masked = diff.masked()
    return FieldCompared(
        pointer=masked.pointer,
        before=masked.before,
        proposed=masked.after,
        current=masked.current,
        moved=diff.current not in (diff.before, diff.after),
    )
