"""Files behind updates: who may name which, that each stands behind one case, and what that costs."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event

from tests.api.conftest import Office, somebody_waits, until
from tests.api.evidence.conftest import Counter, Desk
from tests.api.proposals import newborn
from tests.evidence.files import photo
from tests.scene import SYSTEM

pytestmark = pytest.mark.embedded


def proposal(*evidence: dict[str, Any]) -> dict[str, Any]:
    """A newborn, whose birth statement is a paper and whose family card is a file."""
    paper = {"type": "birth_statement", "reference": "474.1/12/2026"}
    return newborn() | {"evidence": [paper, *evidence]}


def file(evidence_id: str, kind: str = "kk") -> dict[str, Any]:
    return {"type": kind, "evidence_id": evidence_id}


async def submit(desk: Desk, body: dict[str, Any], *, key: str | None = None) -> Any:
    return await desk.client.post("/v1/updates", json=body, headers={"Idempotency-Key": key or str(uuid4())})


def codes(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.text
    return [(violation["pointer"], violation["code"]) for violation in response.json()["violations"]]


async def test_a_file_stands_behind_the_update_that_names_it(counter: Counter, desk: Desk) -> None:
    evidence_id = await desk.uploaded(photo(), type="kk")
    body = proposal({**file(evidence_id), "note": "halaman depan", "reference": "KK 3206131203150071"})
    response = await submit(desk, body, key="k")
    assert response.status_code == 201, response.text
    again = await submit(desk, body, key="k")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    update_id = response.json()["id"]
    paper, named = (await desk.client.get(f"/v1/updates/{update_id}/evidence")).json()["items"]
    assert (paper["reference"], paper["file"]) == ("474.1/12/2026", None)
    assert (named["type"], named["note"], named["revisions"]) == ("kk", "halaman depan", [1])
    assert "3206131203150071" not in named["reference"]
    assert named["file"]["id"] == evidence_id
    assert named["file"]["links"]["content"] == f"/v1/evidence/{evidence_id}"
    in_full = (await desk.client.get(f"/v1/updates/{update_id}")).json()
    assert in_full["evidence"][1]["evidence_id"] == evidence_id
    (submitted,) = await counter.office.scene.rows(
        "SELECT data FROM audit_events WHERE stream = :stream AND type = 'update.submitted'",
        stream=f"update:{update_id}",
    )
    assert submitted.data["files"] == [{"id": evidence_id, "sha256": named["file"]["sha256"]}]


async def test_only_ones_own_finished_file_of_the_village_is_named_as_what_it_is(counter: Counter, desk: Desk) -> None:
    own = await desk.uploaded(photo(), type="kk")
    other = await (await counter.desk_of("puskesos.taraju")).uploaded(photo(), type="kk")
    abroad = await (await counter.desk_of("serba.deudeul")).uploaded(photo(), type="kk", area_code="32.06.13.2003")
    begun = (await desk.begun(100, type="kk")).rpartition("/")[2]
    at = "/evidence/1/evidence_id"
    expected = {
        str(uuid4()): "evidence_unknown",
        other: "evidence_unknown",
        abroad: "evidence_unknown",
        begun: "evidence_unfinished",
    }
    for evidence_id, code in expected.items():
        assert codes(await submit(desk, proposal(file(evidence_id)))) == [(at, code)], code
    wrong = codes(await submit(desk, proposal(file(own, "ktp"), {"type": "kk", "reference": "KK"})))
    assert wrong == [(at, "evidence_of_other_type")]
    twice = codes(await submit(desk, proposal(file(own), file(own))))
    assert twice == [(at, "evidence_named_twice"), ("/evidence/2/evidence_id", "evidence_named_twice")]
    neither = codes(await submit(desk, proposal({"type": "kk"})))
    assert neither == [("/evidence/1", "value_refused")]
    assert (await submit(desk, proposal(file(own)))).status_code == 201


async def test_of_two_updates_that_name_one_file_at_once_one_has_it(desk: Desk) -> None:
    evidence_id = await desk.uploaded(photo(), type="kk")
    body = proposal(file(evidence_id))
    answers = await asyncio.gather(*(submit(desk, body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]
    refused = [answer for answer in answers if answer.status_code != 201]
    assert all(codes(answer) == [("/evidence/1/evidence_id", "evidence_in_other_case")] for answer in refused)


async def test_an_erased_file_is_never_bound_even_while_it_is_being_erased(counter: Counter, desk: Desk) -> None:
    """The update comes while the sweep holds the file, and finds it gone when the sweep has committed."""
    evidence_id = await desk.uploaded(photo(), type="kk")
    scene = counter.office.scene
    async with scene.worker.transaction(SYSTEM) as connection:
        await connection.exec_driver_sql(f"SELECT 1 FROM evidence WHERE id = '{evidence_id}' FOR UPDATE")  # noqa: S608
        submitting = asyncio.create_task(submit(desk, proposal(file(evidence_id))))
        await until(lambda: somebody_waits(scene))
        await connection.exec_driver_sql(
            f"UPDATE evidence SET erased_at = now(), capture = NULL WHERE id = '{evidence_id}'",  # noqa: S608
        )
    assert codes(await submitting) == [("/evidence/1/evidence_id", "evidence_unknown")]


async def test_a_submission_without_files_asks_the_database_nothing_more(counter: Counter, desk: Desk) -> None:
    said: list[str] = []
    engine = counter.office.app.state.front.kawal.database.engine.sync_engine

    def note(*arguments: Any) -> None:
        said.append(arguments[2])

    event.listen(engine, "before_cursor_execute", note)
    assert (await submit(desk, proposal({"type": "kk", "reference": "KK"}))).status_code == 201
    assert len(said) > 5
    assert [
        each for each in said if re.search(r"(FROM|INTO|JOIN) (evidence|update_evidence|evidence_uploads)\b", each)
    ] == []


async def test_a_repair_names_what_the_case_has_and_what_is_new(staffed_counter: Counter) -> None:
    operator = await staffed_counter.desk_of("operator.taraju")
    first = await operator.uploaded(photo(), type="kk")
    update_id = (await submit(operator, proposal(file(first)))).json()["id"]
    await _returned(staffed_counter.office, update_id)
    foreign = await (await staffed_counter.desk_of("puskesos.taraju")).uploaded(photo(), type="kk")
    second = await operator.uploaded(photo((500, 300)), type="kk")
    body = {"change": newborn()["change"], "evidence": proposal(file(foreign))["evidence"]}
    address = f"/v1/updates/{update_id}/resubmission"
    refused = await operator.client.post(address, json=body)
    assert codes(refused) == [("/evidence/1/evidence_id", "evidence_unknown")]
    body["evidence"] = proposal(file(first), file(second))["evidence"]
    repaired = await operator.client.post(address, json=body, headers={"Idempotency-Key": "r"})
    assert repaired.status_code == 200, repaired.text
    listed = (await operator.client.get(f"/v1/updates/{update_id}/evidence")).json()["items"]
    revisions = {item["file"]["id"]: item["revisions"] for item in listed if item["file"]}
    assert revisions == {first: [1, 2], second: [2]}
    bound = await staffed_counter.office.scene.rows("SELECT evidence_id, revision FROM update_evidence ORDER BY 2")
    assert [(str(row.evidence_id), row.revision) for row in bound] == [(first, 1), (second, 2)]
    events = await staffed_counter.office.scene.events(UUID(update_id))
    (resubmitted,) = [each for each in events if each.type == "update.resubmitted"]
    assert [each["id"] for each in resubmitted.data["files"]] == [second]


async def _returned(office: Office, update_id: str) -> None:
    task_id = await office.open_task(update_id, "verification")
    officer = await office.desk_of("puskesos.taraju")
    decision = {"outcome": "return", "reason": "unclear_photo"}
    response = await officer.post(f"/v1/tasks/{task_id}/decision", json=decision)
    assert response.status_code == 200, response.text
    await office.open_task(update_id, "repair")
