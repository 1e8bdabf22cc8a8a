"""`kawal audit replay`: what the table says of a case and its events do not is listed, whoever changed it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from devstack.postgres import PostgresServer
from domain.vocabulary import Outcome, ReasonCode, Stage
from runtime.settings import get_settings
from tests.casework.play import Play
from tests.cli.conftest import Kawal
from tests.scene import Scene
from tests.workflows.stack import floor_area

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
async def cases(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """One that was applied, one that was returned, one on which nobody acts; the command works on their database."""
    monkeypatch.setenv("KAWAL_DATABASE_MIGRATOR_URL", scene.urls.migrator)
    get_settings.cache_clear()
    play = Play(scene)
    applied, returned, silent = [await play.begin(floor_area(30 + place), place=place) for place in range(3)]
    await play.through(applied)
    await play.forward_to(returned, Stage.APPROVAL)
    await play.decide(returned, "verifikator", Outcome.RETURN, reason=ReasonCode.INCOMPLETE_DOCUMENTS)
    await play.forward_to(silent, Stage.VERIFICATION)
    for _ in range(3):
        await play.milestone(silent)
    return [applied, returned, silent]


async def told_again(kawal: Kawal, *arguments: str) -> tuple[int, dict[str, Any]]:
    result = await kawal("audit", "replay", "--json", *arguments)
    return result.exit_code, json.loads(result.stdout)


async def test_every_case_stands_where_its_events_put_it(kawal: Kawal, scene: Scene, cases: list[UUID]) -> None:
    levels = {row.id: row.level for row in await scene.rows("SELECT id, level FROM updates")}
    assert levels[cases[2]] > 0
    assert await told_again(kawal) == (0, {"cases": 3, "differing": []})


@pytest.mark.parametrize(
    ("change", "field", "table"),
    [
        ("status = 'in_endorsement'", "status", "in_endorsement"),
        ("stage = 'approval'", "stage", "approval"),
        ("level = level + 1", "level", None),
        ("revision = 7", "revision", "7"),
        ("closed_at = NULL", "closed_at", None),
        ("kind = 'death'", "kind", "death"),
    ],
)
async def test_a_table_that_says_otherwise_is_found(
    kawal: Kawal,
    postgres_server: PostgresServer,
    scene: Scene,
    cases: list[UUID],
    change: str,
    field: str,
    table: str | None,
) -> None:
    case = cases[0] if field == "closed_at" else cases[2]
    owner = await postgres_server.connect_as_superuser(scene.urls.migrator.rpartition("/")[2])
    await owner.execute(f"UPDATE updates SET {change} WHERE id = $1", case)  # noqa: S608 - the test's own
    await owner.close()
    code, found = await told_again(kawal)
    assert code == 1
    (report,) = found["differing"]
    assert (report["stream"], [item["field"] for item in report["differences"]]) == (f"update:{case}", [field])
    if table is not None:
        assert report["differences"][0]["table"] == table
    assert f"update:{case}\t{field}" in (await kawal("audit", "replay")).stdout


async def test_a_trail_without_its_case_is_found_and_other_areas_are_left_out(
    kawal: Kawal,
    postgres_server: PostgresServer,
    scene: Scene,
    cases: list[UUID],
) -> None:
    owner = await postgres_server.connect_as_superuser(scene.urls.migrator.rpartition("/")[2])
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("DELETE FROM updates WHERE id = $1", cases[1])
    await owner.close()
    code, found = await told_again(kawal, "--area", "32.06.13")
    assert (code, found["cases"]) == (1, 2)
    assert found["differing"] == [
        {"stream": f"update:{cases[1]}", "differences": [{"field": "case", "table": None, "events": "has a trail"}]},
    ]
    assert await told_again(kawal, "--area", "32.07") == (0, {"cases": 0, "differing": []})
