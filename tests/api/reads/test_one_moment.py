"""An answer put together out of several statements is of one moment, however busy the case is meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.session import Viewer
from services.queries import case as case_query
from tests.api.reads.casebook import Casebook

EVERYWHERE = Viewer.system("test")


def and_then(read: Callable[..., Awaitable[object]], act: Callable[[], Awaitable[object]]) -> Callable[..., object]:
    """`read`, and before its answer is used, `act`."""

    async def both(*arguments: object) -> object:
        answer = await read(*arguments)
        await act()
        return answer

    return both


async def test_case_that_ends_while_it_is_read_is_shown_as_it_was(
    book: Casebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_id = await book.in_verification()
    first_statement = case_query.read_case
    monkeypatch.setattr(case_query, "read_case", and_then(first_statement, lambda: book.withdraw(update_id)))

    during = await book.read("operator.taraju", f"/v1/updates/{update_id}")
    monkeypatch.setattr(case_query, "read_case", first_statement)
    after = await book.read("operator.taraju", f"/v1/updates/{update_id}")

    assert (during["status"], during["closed_at"]) == ("in_verification", None)
    assert during["task"]["status"] == "open"
    assert after["status"] == "withdrawn"
    assert after["closed_at"] is not None


async def test_snapshot_writes_nothing_and_leaves_its_connection_as_it_was(book: Casebook) -> None:
    update_id = await book.in_verification()

    with pytest.raises(DBAPIError, match="read-only transaction"):
        await _touch(book, update_id, snapshot=True)

    assert await _touch(book, update_id, snapshot=False) == 1


async def _touch(book: Casebook, update_id: UUID, *, snapshot: bool) -> int:
    statement = text("UPDATE updates SET version = version WHERE id = :id")
    async with book.scene.worker.transaction(EVERYWHERE, snapshot=snapshot) as connection:
        return (await connection.execute(statement, {"id": update_id})).rowcount
