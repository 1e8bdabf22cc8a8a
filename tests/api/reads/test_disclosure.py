"""Clear values: for a purpose, written down first; many of them only when a second person has agreed."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from db.repositories import trail
from db.repositories.cases import lock_case
from db.repositories.trail import Entry, stream_of_update
from devstack.demo_people import TARAJU
from domain.audit import AuditType
from domain.ids import new_id
from tests.api.conftest import somebody_waits, until
from tests.api.reads.casebook import Casebook, known_household
from tests.scene import SYSTEM, user

WHY = "Mencocokkan KK di rumah warga"
PURPOSE = {"purpose": "identity_verification", "explanation": WHY}
BULK = {"purpose": "programme_delivery", "explanation": "Penyaluran bantuan beras bulan ini", "area_code": TARAJU}


async def _readings(book: Casebook) -> list[Row[Any]]:
    return await book.scene.rows("SELECT * FROM read_log ORDER BY id")


async def _events(book: Casebook, stream: str) -> list[Row[Any]]:
    return await book.scene.rows("SELECT * FROM audit_events WHERE stream = :stream ORDER BY seq", stream=stream)


async def _requested(book: Casebook, by: str = "verifikator", **more: Any) -> str:
    body = {**BULK, "rows": 3, "hours": 2, **more}
    signed = book.signed(by) | {"Idempotency-Key": str(new_id())}
    answer = await book.client.post("/v1/unmask-requests", json=body, headers=signed)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


async def _answered(book: Casebook, path: str, by: str = "ppdp", verdict: str = "approved") -> Any:
    return await book.post(by, f"{path}/answer", {"verdict": verdict, "note": "Sesuai surat tugas."})


async def test_a_household_in_the_clear_is_in_the_read_log_and_in_the_trail(book: Casebook) -> None:
    household = known_household()
    answer = await book.post("operator.taraju", f"/v1/households/{household.id}/unmask", PURPOSE)
    shown = answer.json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert shown["household"]["kk_number"] == household.kk_number
    assert [member["birth_date"] for member in shown["household"]["members"]] == [
        member.birth_date.isoformat() for member in household.members
    ]
    (reading,) = await _readings(book)
    assert str(reading.id) == shown["read_id"]
    assert (reading.actor_id, reading.actor_role) == (user("operator.taraju"), "village_operator")
    assert (reading.household_id, reading.update_id, reading.purpose) == (household.id, None, PURPOSE["purpose"])
    assert WHY.encode() not in reading.explanation
    (event,) = await _events(book, f"household:{household.id}")
    assert (event.type, event.actor_role) == ("household.read_unmasked", "village_operator")
    assert event.data == {
        "purpose": "identity_verification",
        "reading": shown["read_id"],
        "version": household.version,
    }


async def test_a_case_in_the_clear_shows_what_its_page_masks_and_says_so_in_its_story(book: Casebook) -> None:
    update_id = await book.in_verification()
    household = known_household()
    page = await book.get("puskesos.taraju", f"/v1/updates/{update_id}")
    assert household.kk_number not in page.text
    answer = await book.post("puskesos.taraju", f"/v1/updates/{update_id}/unmask", PURPOSE)
    shown = answer.json()
    assert shown["base"]["kk_number"] == household.kk_number
    assert shown["change"] == page.json()["change"], "nothing of this change is a number or a birth date"
    (reading,) = await _readings(book)
    assert (reading.subject, reading.update_id, reading.household_id) == ("update", update_id, household.id)
    story = await book.read("kades.taraju", f"/v1/updates/{update_id}/timeline")
    assert "update.read_unmasked" in {event["type"] for event in story["events"]}
    whole = await book.read("kades.taraju", f"/v1/updates/{update_id}/audit")
    assert whole["verdict"]["whole"]


async def test_a_case_is_not_shown_in_the_clear_while_an_act_on_it_is_under_way(book: Casebook) -> None:
    update_id = await book.in_verification()
    stream, at = stream_of_update(update_id), book.clock()
    async with book.scene.worker.transaction(SYSTEM) as connection:
        await lock_case(connection, update_id)
        _, head = await trail.read_stream(connection, stream)
        path = f"/v1/updates/{update_id}/unmask"
        shown = asyncio.create_task(book.post("puskesos.taraju", path, PURPOSE))

        async def waits_or_is_answered() -> bool:
            return shown.done() or await somebody_waits(book.scene)

        await until(waits_or_is_answered)
        entry = Entry(type=AuditType.TASK_CLAIMED)
        await trail.record(connection, stream, [entry], at=at, area_code=TARAJU, head=head)
    assert (await shown).status_code == 200
    assert [event.type for event in await _events(book, stream)][-2:] == [
        AuditType.TASK_CLAIMED,
        AuditType.UPDATE_READ_UNMASKED,
    ]


@pytest.mark.parametrize(
    ("spoilt", "pointer"),
    [
        ({"explanation": "kurang"}, "/explanation"),
        ({"explanation": "cek NIK 3206130904820072"}, "/explanation"),
        ({"explanation": "          "}, "/explanation"),
        ({"explanation": "\u202ekebalikan teks\u202c"}, "/explanation"),
        ({"purpose": "other"}, "/purpose"),
        ({"purpose": None}, "/purpose"),
    ],
)
async def test_a_purpose_that_says_nothing_or_holds_a_number_is_refused(
    book: Casebook,
    spoilt: dict[str, Any],
    pointer: str,
) -> None:
    household = known_household()
    answer = await book.post("operator.taraju", f"/v1/households/{household.id}/unmask", PURPOSE | spoilt)
    assert (answer.status_code, answer.json()["violations"][0]["pointer"]) == (422, pointer)
    assert "3206130904820072" not in answer.text
    assert await _readings(book) == []


async def test_who_works_on_no_case_sees_nothing_in_the_clear(book: Casebook) -> None:
    household, update_id = known_household(), await book.in_verification()
    for path in (f"/v1/households/{household.id}/unmask", f"/v1/updates/{update_id}/unmask"):
        for reader in ("bupati", "inspektorat", "kemensos", "bpd.taraju", "admin", "provinsi"):
            answer = await book.post(reader, path, PURPOSE)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (reader, path)
            assert household.kk_number not in answer.text
        stranger = await book.post("operator.cikubang", path, PURPOSE)
        assert (stranger.status_code, stranger.json()["code"]) == (404, "not_found"), path
    assert await _readings(book) == []


async def test_without_an_entry_in_the_log_nothing_is_shown(book: Casebook) -> None:
    household = known_household()
    async with book.scene.as_owner() as connection:
        await connection.exec_driver_sql("REVOKE INSERT ON read_log FROM kawal_app")
    with capture_logs():
        answer = await book.post("operator.taraju", f"/v1/households/{household.id}/unmask", PURPOSE)
    assert answer.status_code == 500
    assert household.kk_number not in answer.text
    assert await _events(book, f"household:{household.id}") == []


async def test_the_log_is_read_by_inspectors_of_the_area_and_tells_the_person_who_read_them(book: Casebook) -> None:
    household, other = known_household(), known_household(place=1)
    update_id = await book.in_verification()
    await book.post("operator.taraju", f"/v1/households/{household.id}/unmask", PURPOSE)
    await book.post("puskesos.taraju", f"/v1/updates/{update_id}/unmask", PURPOSE)
    await book.post("kades.taraju", f"/v1/households/{other.id}/unmask", PURPOSE)
    for inspector in ("inspektorat", "ppdp"):
        log = await book.read(inspector, "/v1/read-log", household_id=str(household.id))
        assert [reading["subject"] for reading in log["items"]] == ["update", "household"]
        entry = log["items"][1]
        assert (entry["reader"]["name"], entry["role"]) == ("Operator Desa Taraju", "village_operator")
        assert (entry["explanation"], entry["ground"]) == (WHY, "public_duty")
        assert entry["ground_article"] == "UU 27/2022 art. 20(2)(e)"
        everything = await book.read(inspector, "/v1/read-log", limit=2)
        assert (len(everything["items"]), everything["next"] is None) == (2, False)
    assert (await book.read("inspektorat", "/v1/read-log", area="32.06.13.2002"))["items"] == []
    for reader in ("operator.taraju", "kadis", "admin"):
        assert (await book.get(reader, "/v1/read-log")).status_code == 403
    foreign = await book.get("inspektorat", "/v1/read-log", area="32.73")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")


async def test_many_are_shown_to_who_asked_after_another_has_agreed_and_each_is_logged(book: Casebook) -> None:
    path = await _requested(book)
    waiting = await book.post("verifikator", f"{path}/rows", {})
    assert (waiting.status_code, waiting.json()["code"]) == (409, "not_possible_now")
    assert (await _answered(book, path)).json()["verdict"] == "approved"
    first = (await book.post("verifikator", f"{path}/rows", {"limit": 2})).json()
    second = (await book.post("verifikator", f"{path}/rows", {"limit": 2, "after": first["next"]})).json()
    assert (first["rows_left"], second["rows_left"]) == (1, 0)
    shown = [*first["items"], *second["items"]]
    assert len({item["household"]["id"] for item in shown}) == 3
    assert all(len(item["household"]["kk_number"].strip("•")) == 16 for item in shown)
    readings = await _readings(book)
    assert [str(reading.id) for reading in readings] == [item["read_id"] for item in shown]
    assert {str(reading.batch_id) for reading in readings} == {path.rpartition("/")[2]}
    spent = await book.post("verifikator", f"{path}/rows", {})
    assert (spent.status_code, spent.json()["code"]) == (409, "not_possible_now")
    events = await _events(book, f"unmasking:{path.rpartition('/')[2]}")
    assert [event.type for event in events] == [
        *("unmasking.requested", "unmasking.answered", "unmasking.read", "unmasking.read"),
    ]


async def test_nobody_approves_what_they_asked_for_themselves(book: Casebook) -> None:
    # A supervisor who is head of office too could do both, were it not for the second pair of eyes.
    await book.scene.rows(
        """
        INSERT INTO memberships (id, user_id, role, office_id, area_code, valid_from)
        SELECT gen_random_uuid(), user_id, 'regency_head', office_id, area_code, valid_from FROM memberships
        WHERE user_id = :id RETURNING 1
        """,
        id=user("kabid"),
    )
    path = await _requested(book, "kabid")
    own = await _answered(book, path, "kabid")
    assert (own.status_code, own.json()["code"]) == (403, "separation_of_duties")
    assert (await _answered(book, path, "kadis")).status_code == 200
    again = await _answered(book, path, "inspektorat")
    assert (again.status_code, again.json()["code"]) == (409, "not_possible_now")
    theirs = await book.post("verifikator", f"{path}/rows", {})
    assert (theirs.status_code, theirs.json()["code"]) == (403, "forbidden")
    with pytest.raises(DBAPIError, match="there is one verdict"):
        await book.scene.rows("UPDATE unmask_requests SET decided_by = requested_by RETURNING 1")


async def test_an_approval_ends_with_its_hours_and_a_refusal_shows_nothing(book: Casebook) -> None:
    path, refused = await _requested(book), await _requested(book)
    await _answered(book, path)
    await _answered(book, refused, verdict="refused")
    assert (await book.post("verifikator", f"{refused}/rows", {})).status_code == 409
    book.clock.advance(hours=1, minutes=59)
    assert (await book.post("verifikator", f"{path}/rows", {"limit": 1})).status_code == 200
    book.clock.advance(minutes=1)
    assert (await book.post("verifikator", f"{path}/rows", {"limit": 1})).status_code == 409
    assert len(await _readings(book)) == 1


async def test_two_readers_at_once_get_no_more_than_was_approved(book: Casebook) -> None:
    path = await _requested(book, rows=3)
    await _answered(book, path)
    ask = (book.post("verifikator", f"{path}/rows", {"limit": 2}) for _ in range(4))
    answers = await asyncio.gather(*ask)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 409, 409]
    assert len(await _readings(book)) == 3


async def test_a_request_is_made_once_for_each_key_and_seen_in_its_area_alone(book: Casebook) -> None:
    signed = book.signed("verifikator") | {"Idempotency-Key": "k"}
    body = {**BULK, "rows": 1}
    made = [await book.client.post("/v1/unmask-requests", json=body, headers=signed) for _ in range(2)]
    assert made[0].json() == made[1].json()
    path = made[0].headers["Location"]
    assert (await book.read("ppdp", "/v1/unmask-requests"))["items"] == [made[0].json()]
    assert (await book.read("inspektorat", path))["explanation"] == BULK["explanation"]
    for reader, status in (("operator.taraju", 403), ("kemensos", 403)):
        assert (await book.get(reader, path)).status_code == status
    elsewhere = await book.client.post(
        "/v1/unmask-requests",
        json=body | {"area_code": "32.73"},
        headers=book.signed("verifikator") | {"Idempotency-Key": "l"},
    )
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "not_found")
    assert UUID(path.rpartition("/")[2])
