"""An answer put together out of several statements is of one moment, however busy the case is meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import ModuleType
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.session import Viewer
from services.queries import case as case_query
from services.queries import cases as cases_query
from services.queries import household as household_query
from services.queries import stalled as stalled_query
from services.queries import stalled_groups as groups_query
from services.queries import tasks as tasks_query
from tests.api.reads.casebook import Casebook

READER = "puskesos.taraju"
EVERYWHERE = Viewer.system("test")


def and_then(read: Callable[..., Awaitable[object]], act: Callable[[], Awaitable[object]]) -> Callable[..., object]:
    """`read`, and before its answer is used, `act`."""

    async def both(*arguments: object, **named: object) -> object:
        answer = await read(*arguments, **named)
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


def once(act: Callable[[], Awaitable[object]], read: Callable[..., Awaitable[object]]) -> Callable[..., object]:
    """`read`, and before it, `act`."""

    async def both(*arguments: object, **named: object) -> object:
        await act()
        return await read(*arguments, **named)

    return both


async def test_household_is_shown_with_the_updates_that_were_open_when_it_was_read(
    book: Casebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_id = await book.in_verification()
    address = f"/v1/households/{(await book.scene.case(update_id)).household_id}"
    before = await book.read("operator.taraju", address)
    first_statement = household_query.read_household
    monkeypatch.setattr(household_query, "read_household", and_then(first_statement, lambda: book.withdraw(update_id)))

    during = await book.read("operator.taraju", address)
    monkeypatch.setattr(household_query, "read_household", first_statement)
    after = await book.read("operator.taraju", address)

    assert [update["id"] for update in before["open_updates"]] == [str(update_id)]
    assert (during, after["open_updates"]) == (before, [])


@pytest.mark.parametrize(
    ("module", "address", "query"),
    [
        (stalled_query, "/v1/stalled", {}),
        (groups_query, "/v1/stalled", {"group_by": "office"}),
        (tasks_query, "/v1/tasks", {}),
        (cases_query, "/v1/updates", {}),
    ],
    ids=["stalled", "stalled by office", "queue", "cases"],
)
async def test_list_names_whoever_held_the_posts_when_its_rows_were_read(
    book: Casebook,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    address: str,
    query: dict[str, str],
) -> None:
    await book.let_lapse(await book.in_verification())

    async def offices_are_renamed() -> None:
        await book.scene.rows("UPDATE offices SET name = 'Kantor baru' RETURNING 1")

    before = await book.read(READER, address, **query)
    second_statement = module.read_who
    monkeypatch.setattr(module, "read_who", once(offices_are_renamed, second_statement))
    during = await book.read(READER, address, **query)
    monkeypatch.setattr(module, "read_who", second_statement)

    assert during == before
    assert await book.read(READER, address, **query) != before


async def test_snapshot_writes_nothing_and_leaves_its_connection_as_it_was(book: Casebook) -> None:
    update_id = await book.in_verification()

    with pytest.raises(DBAPIError, match="read-only transaction"):
        await _touch(book, update_id, snapshot=True)

    assert await _touch(book, update_id, snapshot=False) == 1


async def _touch(book: Casebook, update_id: UUID, *, snapshot: bool) -> int:
    statement = text("UPDATE updates SET version = version WHERE id = :id")
    async with book.scene.worker.transaction(EVERYWHERE, snapshot=snapshot) as connection:
        return (await connection.execute(statement, {"id": update_id})).rowcount
