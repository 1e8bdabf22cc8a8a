"""Lists: what is in view, filters, pages that hold while rows are added, and what the database does for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self
from uuid import UUID

import pytest
from sqlalchemy import Select, event, text
from sqlalchemy.dialects import postgresql

from db.models import Update
from db.session import Viewer
from devstack.demo_people import CIKUBANG, DEUDEUL, DISTRICT, REGENCY, TARAJU
from domain.authority import Actor, Seat
from domain.ids import new_id
from domain.vocabulary import Role
from services.queries.cases import case_list
from services.queries.households import household_list
from services.queries.keyset import ByAge, PageOf
from services.queries.scope import within
from services.queries.stalled import StalledFilter, stalled_in, stalled_list
from services.queries.tasks import queue_of
from tests.api.reads.casebook import Casebook, better_floor, known_household
from tests.scene import household_of, user


def ids(page: dict[str, Any]) -> list[str]:
    return [item["id"] for item in page["items"]]


async def walk(book: Casebook, username: str, path: str, **query: Any) -> list[str]:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await book.read(username, path, **query, **cursor)
        seen += ids(page)
        if page["next"] is None:
            return seen
        cursor = {"cursor": page["next"]}


async def test_a_village_lists_its_own_updates_and_a_regency_all(book: Casebook) -> None:
    taraju, cikubang = await book.in_verification(), await book.submit(by="operator.cikubang", area_code=CIKUBANG)
    assert ids(await book.read("operator.taraju", "/v1/updates")) == [str(taraju)]
    assert ids(await book.read("operator.cikubang", "/v1/updates")) == [str(cikubang)]
    assert ids(await book.read("kabid", "/v1/updates")) == [str(cikubang), str(taraju)]
    assert ids(await book.read("kemensos", "/v1/updates", area=TARAJU)) == [str(taraju)]


async def test_an_item_says_who_holds_it_and_how_late_it_is(book: Casebook) -> None:
    update_id = await book.in_verification()
    due_at = await book.let_lapse(update_id)
    (item,) = (await book.read("bupati", "/v1/updates"))["items"]
    assert item["area"] == {"code": TARAJU, "name": "Taraju"}
    assert (item["status"], item["stage"], item["level"], item["cause"]) == (
        "in_verification",
        "verification",
        1,
        "deadline",
    )
    assert (item["overdue"], item["due_at"]) == (True, due_at.isoformat().replace("+00:00", "Z"))
    assert [desk["role"] for desk in item["holder"]["desks"]] == ["puskesos_officer", "district_supervisor"]
    assert [desk["offices"][0]["name"] for desk in item["holder"]["desks"]] == [
        "PUSKESOS Desa Taraju",
        "SLRT Kecamatan Taraju",
    ]


async def test_filters_narrow_the_list(book: Casebook) -> None:
    received = await book.submit()
    late = await book.in_verification(household=known_household(place=1), change=better_floor())
    await book.let_lapse(late)
    deliberated = await book.in_verification(household=known_household(place=2), change=better_floor())
    await book.decide(deliberated, "puskesos.taraju")

    async def found(**query: Any) -> set[str]:
        return set(ids(await book.read("verifikator", "/v1/updates", **query)))

    assert await found(status="received") == {str(received)}
    assert await found(status=["received", "in_deliberation"]) == {str(received), str(deliberated)}
    assert await found(stage="verification") == {str(late)}
    assert await found(overdue="true") == {str(late)}
    assert await found(overdue="false") == {str(received), str(deliberated)}
    assert await found(level=1) == {str(late)}
    assert await found(holder="district_supervisor") == {str(late)}
    assert await found(holder="village_head") == {str(deliberated)}
    assert await found(kind="death") == set()
    assert await found(kind="circumstances", area=DISTRICT) == {str(received), str(late), str(deliberated)}
    assert await found(area=CIKUBANG) == set()


async def test_an_area_outside_ones_own_is_not_found(book: Casebook) -> None:
    for path in ("/v1/updates", "/v1/stalled", "/v1/households"):
        for area in (CIKUBANG, DISTRICT, "32", "*"):
            answer = await book.get("operator.taraju", path, area=area)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (path, area)
        assert (await book.get("operator.taraju", path, area="nonsense")).status_code == 422


async def test_a_case_is_found_by_its_code_and_by_the_numbers_of_its_people(book: Casebook) -> None:
    household = known_household()
    update_id = await book.in_verification()
    other = await book.submit(household=known_household(place=1), change=better_floor())
    code = (await book.read("operator.taraju", f"/v1/updates/{update_id}"))["tracking_code"]
    head = household.head
    assert head is not None
    assert head.nik is not None
    for term in (code, code.lower().replace("-", " "), head.nik, household.kk_number):
        assert ids(await book.read("operator.taraju", "/v1/updates", q=term)) == [str(update_id)]
        assert ids(await book.read("operator.cikubang", "/v1/updates", q=term)) == []
    assert str(other) not in ids(await book.read("operator.taraju", "/v1/updates", q=head.nik))
    assert ids(await book.read("operator.taraju", "/v1/households", q=head.nik)) == [str(household.id)]
    assert ids(await book.read("operator.cikubang", "/v1/households", q=head.nik)) == []


async def test_what_was_searched_for_is_repeated_nowhere(
    book: Casebook,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    nik = "3206130904820072"
    await book.read("operator.taraju", "/v1/updates", q=nik)
    refused = await book.get("operator.taraju", "/v1/updates", q=f"{nik}x")
    too_long = await book.get("operator.taraju", "/v1/updates", q=nik * 4)
    metrics = await book.client.get("/metrics")
    written = capfd.readouterr()
    assert refused.json()["violations"][0]["code"] == "search_term_unknown"
    assert too_long.status_code == 422
    for place in (refused.text, too_long.text, metrics.text, written.out, written.err, caplog.text):
        assert nik not in place


@pytest.mark.parametrize("path", ["/v1/updates", "/v1/tasks", "/v1/stalled", "/v1/households", "/v1/notifications"])
@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24", "WyJub3QgYW4gaWQiXQ", "W10", "Wzddd", "%00", "\u2028"])
async def test_a_cursor_that_is_none_is_refused(book: Casebook, path: str, cursor: str) -> None:
    answer = await book.get("kabid", path, cursor=cursor)
    assert (answer.status_code, answer.json()["code"]) == (404, "cursor_unknown")
    assert answer.json()["violations"][0]["pointer"] == "/query/cursor"


async def test_limits_and_unknown_filters_are_refused(book: Casebook) -> None:
    refused: tuple[dict[str, Any], ...] = ({"limit": 0}, {"limit": 201}, {"status": "lost"}, {"offset": 5})
    for query in refused:
        answer = await book.get("kabid", "/v1/updates", **query)
        assert answer.status_code == 422, query


async def test_pages_hold_while_updates_come_in(book: Casebook) -> None:
    before = [await _received(book) for _ in range(7)]
    first = await book.read("kabid", "/v1/updates", limit=3)
    await _received(book)
    second = await book.read("kabid", "/v1/updates", limit=3, cursor=first["next"])
    await _received(book)
    third = await book.read("kabid", "/v1/updates", limit=3, cursor=second["next"])
    assert ids(first) + ids(second) + ids(third) == [str(update_id) for update_id in reversed(before)]
    assert third["next"] is None
    assert len(await walk(book, "kabid", "/v1/updates", limit=2)) == 9


async def test_pages_of_households_cover_each_once(book: Casebook) -> None:
    everything = await walk(book, "operator.taraju", "/v1/households", limit=3)
    assert len(everything) == len(set(everything)) == 8
    ranked = await book.read("operator.taraju", "/v1/households", desil=[1, 2])
    assert all(item["desil"] in {1, 2} for item in ranked["items"])


async def _received(book: Casebook) -> UUID:
    return await book.submit(household=household_of(), change=better_floor())


_CASES_OF_A_REGENCY = """
    INSERT INTO updates (id, tracking_code, area_code, kind, policy_version_id, status, stage, revision,
                         submitted_by, submitted_at, version)
    SELECT uuidv7(make_interval(secs => n - 20000)), 'CODE-' || n, v.code, 'circumstances', :policy,
           s.status, s.stage, 1, :user, now(), 1
    FROM generate_series(1, 20000) AS n
    JOIN (SELECT code, row_number() OVER (ORDER BY code) - 1 AS place, count(*) OVER () AS villages
          FROM areas WHERE level = 4) AS v ON v.place = n % v.villages
    JOIN (VALUES (0, 'in_verification', 'verification'), (1, 'in_deliberation', 'deliberation'),
                 (2, 'in_approval', 'approval'), (3, 'in_endorsement', 'endorsement'))
         AS s(place, status, stage) ON s.place = n % 4
    WHERE NOT starts_with(v.code, :quiet) OR n < 4000
"""
_THEIR_TASKS = """
    INSERT INTO tasks (id, update_id, area_code, stage, revision, status, opened_at, due_at, deadline, version)
    SELECT uuidv7(), id, area_code, stage, 1, 'open', now(), now() + make_interval(secs => random() * 90000),
           jsonb_build_object('started_at', now()), 1
    FROM updates
"""
_THEIR_DECIDERS = """
    INSERT INTO task_grants (task_id, role, power, area_code)
    SELECT t.id, g.role, 'decide', t.area_code
    FROM tasks t JOIN (VALUES ('verification', 'puskesos_officer'), ('verification', 'district_supervisor'),
                              ('deliberation', 'village_head'), ('approval', 'regency_verifier'),
                              ('endorsement', 'regency_head')) AS g(stage, role) ON g.stage = t.stage
"""


async def _thousands_of_updates(book: Casebook) -> None:
    """Open cases all over the regency, few of them in one district, as a district's share of a nation is."""
    values = {"policy": book.scene.policy_version_id, "user": user("operator.taraju"), "quiet": f"{DISTRICT}."}
    async with book.scene.as_owner() as connection:
        await connection.execute(text(_CASES_OF_A_REGENCY), values)
        await connection.execute(text(_THEIR_TASKS))
        await connection.execute(text(_THEIR_DECIDERS))
    async with book.scene.as_owner() as connection:
        await connection.execute(text("ANALYZE updates, tasks, task_grants, areas"))


async def _plan(book: Casebook, statement: Select[Any], *, areas: tuple[str, ...]) -> str:
    compiled = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    async with book.scene.app.transaction(Viewer(name=str(new_id()), areas=areas)) as connection:
        lines = await connection.scalars(text(f"EXPLAIN (COSTS OFF) {compiled}".replace(":", r"\:")))
        return "\n".join(lines)


@pytest.mark.parametrize(
    ("area", "role"),
    [(TARAJU, Role.PUSKESOS_OFFICER), (DISTRICT, Role.DISTRICT_SUPERVISOR)],
)
async def test_lists_read_an_index_range_of_their_area_under_row_level_security(
    book: Casebook,
    area: str,
    role: Role,
) -> None:
    await _thousands_of_updates(book)
    actor = Actor(
        user_id=new_id(),
        display_name="Petugas",
        seats=(Seat(role=role, office_id=new_id(), area_code=area),),
    )
    cases = case_list(within(Update.area_code, (area,)), page=PageOf(50, ByAge(new_id())))
    queue = queue_of(actor, page=PageOf(50))
    for statement, index in ((cases, "ix_updates_"), (queue, "ix_tasks_open_area_code_due_at")):
        plan = await _plan(book, statement, areas=(area,))
        assert "Seq Scan on updates" not in plan, plan
        assert "Seq Scan on tasks" not in plan, plan
        lines = plan.splitlines()
        assert index in plan, plan
        place = next(n for n, line in enumerate(lines) if index in line)
        condition = next(line for line in lines[place:] if "Index Cond" in line)
        assert "area_code" in condition, plan
        assert area in condition, plan


async def test_a_regency_finds_the_first_due_in_their_order_without_sorting_all(book: Casebook) -> None:
    await _thousands_of_updates(book)
    seat = Seat(role=Role.REGENCY_VERIFIER, office_id=new_id(), area_code=REGENCY)
    actor = Actor(user_id=new_id(), display_name="Verifikator", seats=(seat,))
    late = stalled_in(actor, StalledFilter(), now=book.clock.at)
    plan = await _plan(book, stalled_list(*late, page=PageOf(50), now=book.clock.at), areas=(REGENCY,))
    assert "ix_tasks_open_due_at" in plan, plan
    assert "Sort Key: tasks.due_at" not in plan, plan


class Statements:
    """Counts what a block sends to PostgreSQL beside the settings of its transaction and the reading of the actor."""

    def __init__(self, book: Casebook) -> None:
        self._engine = book.scene.app.engine.sync_engine
        self.sent: list[str] = []

    def __enter__(self) -> Self:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, _c: object, _k: object, statement: str, *_: Sequence[object]) -> None:
        if "set_config" not in statement and "kawal_seats" not in statement:
            self.sent.append(statement)


async def test_a_list_costs_few_statements_however_long_it_is(book: Casebook) -> None:
    for place in range(3):
        await book.in_verification(household=known_household(place=place), change=better_floor())
    book.clock.advance(days=5)
    await book.in_verification(by="serba.deudeul", area_code=DEUDEUL)
    most = {
        "/v1/updates": 3,  # with the rounds of the regencies on the page
        "/v1/tasks": 2,
        "/v1/stalled": 3,  # with the calendars, which this test keeps nobody from asking again
        "/v1/stalled?group_by=office": 2,
        "/v1/households": 1,
        "/v1/areas": 1,
        "/v1/notifications": 1,
    }
    await book.read("slrt.taraju", "/v1/stalled")
    for path, bound in most.items():
        with Statements(book) as statements:
            answer = await book.client.get(path, headers=book.signed("slrt.taraju"))
        assert answer.status_code == 200, answer.text
        assert 1 <= len(statements.sent) <= bound, (path, statements.sent)


def test_an_area_and_all_below_it_are_one_range() -> None:
    def sql(*areas: str) -> str:
        return str(within(Update.area_code, areas).compile(compile_kwargs={"literal_binds": True}))

    assert sql(DISTRICT) == f"updates.area_code >= '{DISTRICT}' AND updates.area_code < '{DISTRICT}/'"
    assert sql(TARAJU) == f"updates.area_code = '{TARAJU}'"
    assert sql() == "false"
    assert sql("*") == "true"


def test_the_statements_ask_for_one_row_more_than_the_page() -> None:
    for statement in (case_list(page=PageOf(50)), household_list(page=PageOf(50))):
        assert statement.whereclause is None
        assert str(statement.compile(compile_kwargs={"literal_binds": True})).rstrip().endswith("LIMIT 51")
