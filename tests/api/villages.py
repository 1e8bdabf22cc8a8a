"""A village that deliberates: cases that wait for it, the paper it decides by, and what came of each case."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx2

from db.repositories.evidence import EvidenceRow, add_evidence
from db.session import Viewer
from devstack.demo_people import TARAJU
from domain.ids import new_id
from tests.api.conftest import Office, until
from tests.api.proposals import newborn
from tests.scene import Scene, household_of, user

PRESENT = ("village_head", "village_operator", "neighbourhoods", "families", "babinsa")
SIGNED = [
    {"role": "village_head", "name": "Haji Dadang"},
    {"role": "village_operator", "name": "Neneng Operator"},
]


def today() -> str:
    """The day in the village."""
    return datetime.now(ZoneInfo("Asia/Jakarta")).date().isoformat()


async def scanned(scene: Scene, *, kind: str = "musdes_minutes", area_code: str = TARAJU) -> str:
    """The signed paper was uploaded, examined and kept; its id."""
    operator, paper_id = user("operator.taraju"), new_id()
    row = EvidenceRow(
        id=paper_id,
        area_code=area_code,
        type=kind,
        uploaded_by=operator,
        kept_at=datetime.now(UTC),
        received_sha256=paper_id.bytes,
        sha256=paper_id.bytes,
        size=1,
        media_type="application/pdf",
        width=None,
        height=None,
        pages=1,
        signed=False,
        scanned=False,
        thumbnail_sha256=None,
        thumbnail_size=None,
        capture=None,
    )
    async with scene.app.transaction(Viewer(name=str(operator), areas=(area_code,))) as connection:
        await add_evidence(connection, row)
    return str(paper_id)


async def paper(scene: Scene, *cases: tuple[str, str] | tuple[str, str, str], **more: Any) -> dict[str, Any]:
    """Minutes in good order that decide these cases: id, outcome and, where there is one, reason."""
    listed = [dict(zip(("update_id", "outcome", "reason"), case, strict=False)) for case in cases]
    return {
        "area_code": TARAJU,
        "type": "musdes",
        "number": "140/BA-Musdes/2026",
        "held_on": today(),
        "place": "Balai Desa Taraju",
        "attendance": [{"group": group, "present": 3, "women": 1} for group in PRESENT],
        "signed_by": SIGNED,
        "scan": await scanned(scene),
        "cases": listed,
        **more,
    }


async def record(office: Office, body: dict[str, Any], *, by: str = "kades.taraju", key: str = "") -> httpx2.Response:
    desk = await office.desk_of(by)
    return await desk.post("/v1/minutes", json=body, headers={"Idempotency-Key": key or str(uuid4())})


async def in_deliberation(office: Office, count: int, *, first: int = 0) -> list[str]:
    """New cases of as many households that wait for the village."""
    cases = [await submitted(office, place) for place in range(first, first + count)]
    desk = await office.desk_of("puskesos.taraju")
    for update_id in cases:
        task = await office.open_task(update_id, "verification")
        answer = await desk.post(f"/v1/tasks/{task}/decision", json={"outcome": "forward"})
        assert answer.status_code == 200, answer.text
    for update_id in cases:
        await office.open_task(update_id, "deliberation")
    return cases


async def submitted(office: Office, place: int) -> str:
    desk = await office.desk_of("operator.taraju")
    answer = await desk.post(
        "/v1/updates", json=newborn(household_of(place)), headers={"Idempotency-Key": str(uuid4())}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def carried_out(office: Office, minutes_id: str, *, by: str = "kades.taraju") -> dict[str, Any]:
    """The minutes once every case has its result."""
    desk = await office.desk_of(by)
    found: dict[str, Any] = {}

    async def finished() -> bool:
        found.update((await desk.get(f"/v1/minutes/{minutes_id}")).json())
        return found["finished_at"] is not None

    await until(finished)
    return found


def results(minutes: dict[str, Any]) -> dict[str, str]:
    """What came of each case."""
    return {case["update_id"]: case["result"] for case in minutes["cases"]}


async def decisions_of(office: Office, update_id: str) -> list[Any]:
    """The decisions of the village about a case."""
    return await office.scene.rows(
        "SELECT * FROM decisions WHERE update_id = :id AND stage = 'deliberation'", id=UUID(update_id)
    )
