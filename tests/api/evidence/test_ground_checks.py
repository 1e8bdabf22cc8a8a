"""Ground checks over the API: asked for by an officer, reported with photos, corrected, and read by who may."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.api.conftest import Office
from tests.api.evidence.conftest import Counter, Desk
from tests.api.test_acts import submitted
from tests.evidence.files import photo, picture
from tests.soundness import assert_sound

pytestmark = pytest.mark.embedded

LOOKER = "pkh.taraju"
ASKED = {"reason": "facts_doubted", "note": "Rumahnya lain dari fotonya."}
HERE = {"latitude": -7.463712, "longitude": 107.993645, "accuracy_m": 8}
POINT = {"latitude": -7.46, "longitude": 107.99, "source": "Kantor desa, GPS"}


def found(*photos: str, **more: Any) -> dict[str, Any]:
    seen_at = datetime.now(UTC).isoformat()
    said = {"outcome": "found_as_reported", "coordinates": HERE, "seen_at": seen_at, "photos": photos}
    return {**said, **more}


async def photo_of(office: Office, by: str = LOOKER) -> str:
    return await Desk(await office.desk_of(by)).uploaded(picture())


async def asked(office: Office, by: str = "puskesos.taraju") -> tuple[str, str]:
    """A case about which an officer has asked for somebody to look, and the task of who looks."""
    update_id = await submitted(office)
    task = await office.open_task(update_id, "verification")
    desk = await office.desk_of(by)
    answer = await desk.post(f"/v1/tasks/{task}/ground-check", json=ASKED)
    assert answer.status_code == 200, answer.text
    assert answer.json()["update"] == {
        "id": update_id,
        "status": "in_verification",
        "stage": "ground_check",
        "level": 0,
    }
    return update_id, answer.json()["next_task_id"]


async def report(
    office: Office, task: str, body: dict[str, Any], *, by: str = LOOKER, **headers: str
) -> httpx2.Response:
    desk = await office.desk_of(by)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await desk.post(f"/v1/tasks/{task}/ground-check-report", json=body, headers=named)


async def seen(office: Office, update_id: str, by: str = "slrt.taraju") -> dict[str, Any]:
    desk = await office.desk_of(by)
    return (await desk.get(f"/v1/updates/{update_id}")).json()


def allowed(case: dict[str, Any], name: str) -> tuple[bool, str | None]:
    (action,) = [each for each in case["actions"] if each["name"] == name]
    return action["allowed"], action["because"] and action["because"]["code"]


async def test_an_officer_has_somebody_look_and_decides_on_what_was_found(staffed_counter: Counter) -> None:
    office = staffed_counter.office
    kabid = await office.desk_of("kabid")
    located = await kabid.post(
        "/v1/areas/32.06.13.2001/reference-point", json=POINT, headers={"Idempotency-Key": str(uuid4())}
    )
    assert located.status_code == 201, located.text
    update_id, task = await asked(office)
    case = await seen(office, update_id, LOOKER)
    assert allowed(case, "report_ground_check") == (True, None)
    assert allowed(case, "decide") == (False, "ground_check_awaited")
    assert [t["id"] for t in (await (await office.desk_of(LOOKER)).get("/v1/tasks")).json()["items"]] == [task]
    verifier = await office.desk_of("puskesos.taraju")
    early = await verifier.post(f"/v1/tasks/{task}/decision", json={"outcome": "forward"})
    assert (early.status_code, early.json()["code"]) == (409, "ground_check_awaited")
    assert "open task" in early.json()["remedy"]
    public = (await (await office.visitor()).get(f"/public/track/{case['tracking_code']}")).json()
    assert (public["stage"], "verifikasi lapangan" in public["status_text"]["id"]) == ("ground_check", True)
    photo = await photo_of(office)
    body = found(photo, outcome="differs", observed={"circumstances": {"cars": 2}}, note="NIK 3206130101800001")
    filed = await report(office, task, body, Idempotency_Key="laporan-1")
    assert filed.status_code == 200, filed.text
    again = await report(office, task, body, Idempotency_Key="laporan-1")
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (filed.json(), "true")
    case = await seen(office, update_id)
    (check,) = case["ground_checks"]
    told = check["report"]
    assert (check["state"], check["gates"], check["triggers"]) == ("filed", "verification", ["by_hand"])
    assert (check["reason"], check["requested_by"]["name"]) == ("facts_doubted", "Petugas PUSKESOS Taraju")
    assert (told["outcome"], told["observed"], told["photos"]) == ("differs", {"/circumstances/cars": 2}, [photo])
    assert (told["coordinates"]["latitude"], told["coordinates"]["longitude"]) == (-7.46, 107.99)
    assert (told["distance_m"], told["far"]) == (600, False)
    assert "3206130101800001" not in told["note"]
    files = (await verifier.get(f"/v1/updates/{update_id}/evidence")).json()["items"]
    assert [paper["file"]["id"] for paper in files if paper["file"]] == [photo]
    events = (await verifier.get(f"/v1/updates/{update_id}/timeline")).json()["events"]
    words = [event["words"]["id"] for event in events]
    assert {"Verifikasi lapangan diminta", "Hasil verifikasi lapangan dilaporkan"} <= set(words)
    decided = await verifier.post(f"/v1/tasks/{filed.json()['next_task_id']}/decision", json={"outcome": "forward"})
    assert decided.status_code == 200
    await assert_sound(office.scene)


async def test_a_photo_that_says_it_was_taken_elsewhere_is_shown_to_say_so(staffed_counter: Counter) -> None:
    """Some fifteen kilometres away; nothing follows from it by itself, and a correction is compared as well."""
    office = staffed_counter.office
    update_id, task = await asked(office)
    desk = Desk(await office.desk_of(LOOKER))
    elsewhere, silent = await desk.uploaded(photo()), await desk.uploaded(photo(place=False))
    assert (await report(office, task, found(elsewhere, silent))).status_code == 200
    told = (await seen(office, update_id))["ground_checks"][0]["report"]
    assert told["photo_places"] == [{"photo": elsewhere, "distance_m": 16800, "source": "photo"}]
    assert (told["outcome"], told["far"]) == ("found_as_reported", None)
    there = found(elsewhere, silent, coordinates={"latitude": -7.358472, "longitude": 108.103403, "accuracy_m": 8})
    looker = await office.desk_of(LOOKER)
    corrected = await looker.post(
        f"/v1/updates/{update_id}/ground-reports/{told['id']}/correction",
        json=there,
        headers={"Idempotency-Key": str(uuid4())},
    )
    assert corrected.status_code == 201, corrected.text
    again = (await seen(office, update_id))["ground_checks"][0]["report"]
    assert again["photo_places"] == [{"photo": elsewhere, "distance_m": 0, "source": "photo"}]


async def test_where_somebody_stood_is_shown_in_full_by_a_reading_that_is_logged(staffed_counter: Counter) -> None:
    office = staffed_counter.office
    update_id, task = await asked(office)
    assert (await report(office, task, found(await photo_of(office)))).status_code == 200
    desk = await office.desk_of("puskesos.taraju")
    wanted = {"purpose": "field_visit", "explanation": "Kunjungan ke rumah"}
    shown = (await desk.post(f"/v1/updates/{update_id}/unmask", json=wanted)).json()
    assert shown["ground_reports"][0]["coordinates"] == HERE


async def test_of_two_reports_at_once_one_is_filed_and_the_other_hears_who_was_first(staffed_counter: Counter) -> None:
    office = staffed_counter.office
    _, task = await asked(office)
    bodies = [found(await photo_of(office)) for _ in range(2)]
    answers = await asyncio.gather(*(report(office, task, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    late = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (late["code"], late["data"]["decided_by_name"]) == ("task_already_decided", "Pendamping PKH Taraju")


async def test_a_wrong_report_is_superseded_once_by_whoever_filed_it(staffed_counter: Counter) -> None:
    office = staffed_counter.office
    update_id, task = await asked(office)
    photo = await photo_of(office)
    assert (await report(office, task, found(photo))).status_code == 200
    first = (await seen(office, update_id))["ground_checks"][0]["report"]["id"]
    path = f"/v1/updates/{update_id}/ground-reports/{first}/correction"
    body = found(photo, outcome="differs", observed={"address": {"rt": "5"}})
    key = {"Idempotency-Key": "koreksi-1"}
    other = await (await office.desk_of("slrt.taraju")).post(path, json=body, headers=key)
    assert (other.status_code, other.json()["code"]) == (403, "forbidden")
    looker = await office.desk_of(LOOKER)
    stale = await looker.post(path, json=body, headers={**key, "If-Match": '"v1"'})
    assert stale.status_code == 412
    corrected = await looker.post(path, json=body, headers=key)
    assert corrected.status_code == 201, corrected.text
    assert (await looker.post(path, json=body, headers=key)).headers["Idempotency-Replayed"] == "true"
    again = await looker.post(path, json=body, headers={"Idempotency-Key": "koreksi-2"})
    assert (again.status_code, again.json()["remedy"]) == (409, f"Correct {corrected.json()['id']}.")
    (check,) = (await seen(office, update_id))["ground_checks"]
    assert (check["report"]["id"], check["report"]["supersedes"]) == (corrected.json()["id"], first)
    assert check["report"]["observed"] == {"/address/rt": "005"}
    assert len(await office.scene.rows("SELECT 1 FROM ground_reports")) == 2
    await assert_sound(office.scene)


async def test_who_has_had_to_do_with_the_case_cannot_take_it_up_nor_be_given_it(staffed_counter: Counter) -> None:
    office = staffed_counter.office
    update_id = await submitted(office)
    verification = await office.open_task(update_id, "verification")
    looker = await office.desk_of(LOOKER)
    said = {"text": "Saya kenal keluarga ini."}
    path = f"/v1/updates/{update_id}/comments"
    assert (await looker.post(path, json=said, headers={"Idempotency-Key": "1"})).status_code == 201
    verifier = await office.desk_of("puskesos.taraju")
    answer = (await verifier.post(f"/v1/tasks/{verification}/ground-check", json=ASKED)).json()
    assert answer["update"]["level"] == 1, "nobody may look: the next rung at once"
    task = answer["next_task_id"]
    assert (await looker.get("/v1/tasks")).json()["items"] == []
    for act, body in (("claim", {}), ("ground-check-report", found(await photo_of(office)))):
        refused = await looker.post(f"/v1/tasks/{task}/{act}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "separation_of_duties"), act
        assert "had to do with this update" in refused.json()["detail"]
    supervisor = await office.desk_of("slrt.taraju")
    assert [person["role"] for person in (await supervisor.get(f"/v1/tasks/{task}/assignable")).json()] == [
        "district_supervisor"
    ]
    assert allowed(await seen(office, update_id, LOOKER), "report_ground_check") == (False, "separation_of_duties")
    filed = await report(office, task, found(await photo_of(office, "slrt.taraju")), by="slrt.taraju")
    assert filed.status_code == 200, filed.text


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"photos": []}, "/photos", "photos_missing"),
        ({"photos": [str(uuid4())]}, "/photos/0", "evidence_unknown"),
        ({"coordinates": {"latitude": 107.99, "longitude": -7.46, "accuracy_m": 8}}, "/coordinates/latitude", None),
        (
            {"coordinates": {"latitude": 7.46, "longitude": 107.99, "accuracy_m": 8}},
            "/coordinates",
            "outside_indonesia",
        ),
        ({"coordinates": {"latitude": -7.46, "longitude": 107.99}}, "/coordinates/accuracy_m", None),
        ({"outcome": "refused"}, "/note", "note_missing"),
        ({"observed": {"address": {"rt": "5"}}}, "/observed", "difference_not_expected"),
        ({"seen_at": "2100-01-01T00:00:00+07:00"}, "/seen_at", "seen_in_future"),
        ({"seen_at": "2020-01-01T00:00:00+07:00"}, "/seen_at", "seen_before_asked"),
    ],
)
async def test_what_is_wrong_with_a_report_is_said_at_its_place(
    staffed_counter: Counter, wrong: dict[str, Any], pointer: str, code: str | None
) -> None:
    office = staffed_counter.office
    _, task = await asked(office)
    answer = await report(office, task, found(await photo_of(office), **wrong))
    assert answer.status_code == 422
    violations = {each["pointer"]: each["code"] for each in answer.json()["violations"]}
    assert pointer in violations
    assert code in {None, violations[pointer]}


async def test_where_a_village_is_is_recorded_by_its_regency(counter: Counter) -> None:
    office = counter.office
    path, key = "/v1/areas/32.06.13.2001/reference-point", {"Idempotency-Key": "titik-1"}
    kabid = await office.desk_of("kabid")
    area = await kabid.get("/v1/areas/32.06.13.2001")
    assert area.json()["reference_point"] is None
    first, again = [await kabid.post(path, json=POINT, headers=key) for _ in range(2)]
    assert (first.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    moved = {**POINT, "latitude": -7.47}
    assert (await kabid.post(path, json=moved, headers={"Idempotency-Key": "titik-2"})).status_code == 201
    shown = (await kabid.get("/v1/areas/32.06.13.2001")).json()["reference_point"]
    assert (shown["latitude"], shown["source"]) == (-7.47, POINT["source"])
    abroad = await kabid.post(path, json={**POINT, "latitude": 52.5}, headers={"Idempotency-Key": "titik-3"})
    assert [each["code"] for each in abroad.json()["violations"]] == ["outside_indonesia"]
    operator = await office.desk_of("operator.taraju")
    assert (await operator.post(path, json=POINT, headers=key)).status_code == 403
    assert (await kabid.post("/v1/areas/33.06.13.2001/reference-point", json=POINT, headers=key)).status_code == 404
    when = datetime.fromisoformat(shown["recorded_at"])
    assert datetime.now(UTC) - when < timedelta(minutes=5)
