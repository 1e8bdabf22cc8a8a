"""The rights of a person: all that is held on their NIK, and that they object; nothing of anybody else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from domain.changes import IdentityCorrection
from domain.household import Household
from duties.person_exports import PersonExports
from runtime.settings import get_settings
from tests.api import conftest as reception
from tests.api.conftest import Office
from tests.casework.play import Play
from tests.cli import conftest as terminal
from tests.cli.conftest import command, settle
from tests.privacy.test_retention import rejected
from tests.scene import FIELD_KEYS, INDEX_KEYS, SYSTEM, VAULT, Scene, household_of
from tests.workflows.stack import floor_area

office, bare_settings = reception.office, terminal.bare_settings
pytestmark = pytest.mark.usefixtures("bare_settings")
NOT_HELD = "3206134107900001"
OFFICER = "kadis"


def family() -> Household:
    return next(h for h in (household_of(place) for place in range(8)) if sum(m.nik is not None for m in h.members) > 1)


def asked(kind: str, nik: str | None = None, **more: Any) -> dict[str, Any]:
    head = family().head
    assert head is not None
    words = {"identified_by": "identity_card", "explanation": "Ingin tahu data apa yang disimpan"}
    return {"kind": kind, "area_code": "32.06", "nik": nik or head.nik, **words, **more}


async def ask(office: Office, body: dict[str, Any], *, by: str = OFFICER, key: str | None = None) -> Any:
    desk = await office.desk_of(by)
    headers = {"Idempotency-Key": key or str(uuid4())}
    return await desk.post("/v1/data-subject-requests", json=body, headers=headers)


def exports_of(scene: Scene) -> PersonExports:
    return PersonExports(begin=lambda: scene.worker.transaction(SYSTEM), vault=VAULT)


async def exported(office: Office, nik: str | None = None) -> Any:
    made = await ask(office, asked("access", nik))
    assert made.status_code == 201, made.text
    assert await exports_of(office.scene).turn(datetime.now(UTC))
    answer = await (await office.desk_of(OFFICER)).get(f"/v1/data-subject-requests/{made.json()['id']}/export")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_export_holds_all_of_the_person_and_nothing_of_the_others(office: Office) -> None:
    play, home = Play(office.scene), family()
    head = home.head
    assert head is not None
    place = next(place for place in range(8) if household_of(place).id == home.id)
    applied = await play.begin(floor_area(31), place=place)
    await play.through(applied)
    closed = await office.scene.submit(
        IdentityCorrection(member_id=head.id, name="Nama Baru"),
        household=await office.scene.household(home.id),
        at=datetime.now(UTC) - timedelta(days=3),
    )
    await rejected(play, closed, ago=timedelta(days=2))
    export = await exported(office)
    assert (export["schema_name"], export["schema_version"], export["held"]) == ("kawal.person-export", 1, True)
    assert [held["version"] for held in export["households"]] == [1, 2]
    assert export["households"][0]["person"]["name"] == head.name
    assert len(export["households"][0]["other_members"]) == len(home.members) - 1
    assert {case["id"]: case["status"] for case in export["cases"]} == {
        str(applied): "applied",
        str(closed): "rejected",
    }
    reason = next(d["reason"] for case in export["cases"] for d in case["decisions"] if d["outcome"] == "reject")
    assert reason["id"]
    assert all(case["notifications"] for case in export["cases"])
    told = json.dumps(export)
    for other in home.members:
        if other.id != head.id:
            assert other.name not in told
            assert other.nik is None or other.nik not in told


async def test_number_that_is_no_longer_in_use_is_still_found(office: Office) -> None:
    play, home = Play(office.scene), family()
    head = home.head
    assert head is not None
    place = next(place for place in range(8) if household_of(place).id == home.id)
    corrected = await play.begin(IdentityCorrection(member_id=head.id, nik=NOT_HELD), place=place)
    await play.through(corrected)
    for nik in (head.nik, NOT_HELD):
        export = await exported(office, nik)
        assert export["held"]
        assert [case["id"] for case in export["cases"]] == [str(corrected)]


async def test_number_that_is_held_nowhere_answers_so_and_one_held_elsewhere_too(office: Office) -> None:
    assert not (await exported(office, NOT_HELD))["held"]
    made = await ask(office, asked("access", area_code="32.06.14"))
    await exports_of(office.scene).turn(datetime.now(UTC))
    request = (await (await office.desk_of(OFFICER)).get(f"/v1/data-subject-requests/{made.json()['id']}")).json()
    assert (request["state"], request["reason"], request["held"]) == ("granted", "not_held", False)
    export = await (await office.desk_of(OFFICER)).get(f"/v1/data-subject-requests/{made.json()['id']}/export")
    assert (export.json()["held"], export.json()["held_elsewhere"]) == (False, True)


async def test_each_download_is_logged_and_the_export_goes_after_its_time(office: Office) -> None:
    made = (await ask(office, asked("access"), key="k")).json()
    assert (await ask(office, asked("access"), key="k")).json()["id"] == made["id"]
    desk, address = await office.desk_of(OFFICER), f"/v1/data-subject-requests/{made['id']}"
    assert (await desk.get(f"{address}/export")).json()["code"] == "not_possible_now"
    await exports_of(office.scene).turn(datetime.now(UTC))
    assert not await exports_of(office.scene).turn(datetime.now(UTC)), "one is made once"
    page = await desk.get(f"{address}/export/page")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Salinan data pribadi" in page.text
    assert (await (await office.desk_of("kabid")).get(f"{address}/export")).status_code == 403
    readings = await office.scene.rows("SELECT subject, batch_id FROM read_log")
    assert [(row.subject, str(row.batch_id)) for row in readings] == [("person", made["id"])]
    stored = await office.scene.one("SELECT content FROM data_subject_exports")
    assert b"kawal.person" not in stored.content
    async with office.scene.as_owner() as connection:
        await connection.execute(text("UPDATE data_subject_exports SET expires_at = now() - interval '1 day'"))
    await exports_of(office.scene).turn(datetime.now(UTC))
    assert (await desk.get(f"{address}/export")).json()["code"] == "content_erased"
    events = await office.scene.rows("SELECT type, data FROM audit_events WHERE stream LIKE 'rights:%' ORDER BY seq")
    assert [event.type for event in events] == [
        "rights.requested",
        "rights.answered",
        "rights.export_read",
        "rights.export_removed",
    ]
    assert asked("access")["nik"] not in json.dumps([event.data for event in events])
    assert len(events[0].data["nik"]) == 64


async def test_objection_is_shown_answered_once_and_silence_is_listed(office: Office) -> None:
    update_id = await Play(office.scene).begin(
        floor_area(32),
        place=next(place for place in range(8) if household_of(place).id == family().id),
    )
    made = (await ask(office, asked("objection"))).json()
    assert made["nik"].count("•") == 8
    village = await office.desk_of("operator.taraju")
    for address in (f"/v1/updates/{update_id}", f"/v1/households/{family().id}"):
        (shown,) = (await village.get(address)).json()["objections"]
        assert (shown["id"], shown["state"], shown["public_words"]) == (made["id"], "open", None)
    desk = await office.desk_of(OFFICER)
    listed = "/v1/data-subject-requests?overdue=true"
    assert (await desk.get(listed)).json()["items"] == []
    async with office.scene.as_owner() as connection:
        await connection.execute(text("UPDATE data_subject_requests SET due_at = now() - interval '1 hour'"))
    assert [one["id"] for one in (await desk.get(listed)).json()["items"]] == [made["id"]]
    answer = f"/v1/data-subject-requests/{made['id']}/answer"
    body, key = {"reason": "public_duty", "note": "Dijelaskan di kantor"}, {"Idempotency-Key": "a"}
    wrong = await desk.post(answer, json={"reason": "export_made"}, headers=key)
    assert wrong.json()["violations"][0]["code"] == "reason_not_of_this_kind"
    refused = await desk.post(answer, json=body, headers={"Idempotency-Key": "b"})
    assert refused.status_code == 200, refused.text
    assert (refused.json()["state"], refused.json()["answered_by"]["name"] != "") == ("refused", True)
    assert "pelayanan publik" in refused.json()["public_words"]["id"]
    assert (await desk.post(answer, json=body, headers={"Idempotency-Key": "c"})).status_code == 409
    assert (await village.get(f"/v1/updates/{update_id}")).json()["objections"] == []


async def test_who_may_not_and_what_is_missing(office: Office) -> None:
    assert (await ask(office, asked("access"), by="operator.taraju")).status_code == 403
    assert (await ask(office, asked("access", area_code="33.01"))).status_code == 404
    wrong = await ask(office, asked("access", asked_by="representative"))
    assert wrong.json()["violations"][0]["code"] == "authority_not_shown"
    assert (await ask(office, asked("access", "123"))).status_code == 422
    assert (await (await office.desk_of(OFFICER)).get(f"/v1/data-subject-requests/{uuid4()}")).status_code == 404


async def test_operator_exports_to_a_file(scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settle(monkeypatch, scene.urls, FIELD_KEYS=FIELD_KEYS, INDEX_KEYS=INDEX_KEYS)
    get_settings.cache_clear()
    nik = asked("access")["nik"]
    written = await command("person", "export", "--out", str(tmp_path / "a.json"), stdin=f"{nik}\n")
    assert written.exit_code == 0, written.output
    assert json.loads((tmp_path / "a.json").read_text())["held"]
    assert nik not in written.output
    nobody = await command("person", "export", "--out", str(tmp_path / "b.html"), stdin=f"{NOT_HELD}\n")
    assert "Nothing is held" in nobody.stdout
