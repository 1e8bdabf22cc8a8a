"""The scan of recorded minutes: read by those who read the minutes, and each reading is written down."""

from __future__ import annotations

import pytest

from tests.api.evidence.conftest import Counter
from tests.api.villages import carried_out, in_deliberation, paper, record
from tests.evidence.files import document, written
from tests.scene import user

pytestmark = pytest.mark.embedded


async def test_whoever_has_authority_over_the_village_reads_the_scan_and_nobody_else(staffed_counter: Counter) -> None:
    office = staffed_counter.office
    content = written(document())
    scan = await (await staffed_counter.desk_of("operator.taraju")).uploaded(content, type="musdes_minutes")
    verifier = await office.desk_of("verifikator")
    assert (await verifier.get(f"/v1/evidence/{scan}")).status_code == 404, "it stands behind nothing yet"
    (case,) = await in_deliberation(office, 1)
    answer = await record(office, await paper(office.scene, (case, "forward"), scan=scan))
    minutes = await carried_out(office, answer.json()["id"])
    read = await verifier.get(minutes["links"]["scan"])
    assert (read.status_code, read.headers["Content-Type"]) == (200, "application/pdf")
    assert read.content.startswith(b"%PDF")
    logged = await office.scene.rows("SELECT actor_id FROM read_log WHERE evidence_id = :id", id=scan)
    assert [row.actor_id for row in logged] == [user("verifikator")]
    for stranger in ("kades.cikubang", "kemensos"):
        desk = await office.desk_of(stranger)
        assert (await desk.get(minutes["links"]["scan"])).status_code in {403, 404}
