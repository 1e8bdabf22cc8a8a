"""Minutes of a village, recorded through the API and carried out by a real engine."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from devstack.demo_people import CIKUBANG
from tests.api.conftest import Office
from tests.api.villages import (
    SIGNED,
    carried_out,
    decisions_of,
    in_deliberation,
    paper,
    record,
    results,
    scanned,
    submitted,
    today,
)
from tests.scene import Scene, user

pytestmark = pytest.mark.embedded


async def test_one_paper_decides_every_case_that_it_lists_each_with_its_result(staffed: Office) -> None:
    agreed, returned, rejected, withdrawn = await in_deliberation(staffed, 4)
    early = await submitted(staffed, 4)
    await staffed.open_task(early, "verification")
    operator = await staffed.desk_of("operator.taraju")
    await operator.post(f"/v1/updates/{withdrawn}/withdrawal", json={"note": "Warga mencabut usulannya."})
    body = await paper(
        staffed.scene,
        (agreed, "forward"),
        (returned, "return", "incomplete_documents"),
        (rejected, "reject", "not_eligible_means"),
        (withdrawn, "forward"),
        (early, "forward"),
    )
    answer = await record(staffed, body)
    assert answer.status_code == 201, answer.text
    minutes = await carried_out(staffed, answer.json()["id"])
    assert answer.headers["Location"] == minutes["links"]["self"]
    assert results(minutes) == {
        agreed: "decided",
        returned: "decided",
        rejected: "decided",
        withdrawn: "case_closed",
        early: "not_in_deliberation",
    }
    assert minutes["progress"] == {"cases": 5, "open": 0, "decided": 3}
    cases = {each: await staffed.scene.case(UUID(each)) for each in (agreed, returned, rejected, early)}
    assert {each: case.status for each, case in cases.items()} == {
        agreed: "in_approval",
        returned: "returned",
        rejected: "rejected",
        early: "in_verification",
    }
    (decision,) = await decisions_of(staffed, agreed)
    assert (decision.actor_id, decision.actor_role) == (user("kades.taraju"), "village_head")
    assert (decision.minutes["id"], decision.minutes["number"]) == (minutes["id"], body["number"])
    trail = await _trail(staffed.scene, minutes["id"])
    assert [event.type for event in trail] == ["minutes.recorded", "minutes.carried_out"]
    assert trail[1].data == {"decided": 3, "case_closed": 1, "not_in_deliberation": 1}
    assert "Haji Dadang" not in repr([event.data for event in trail])


async def test_case_that_came_later_is_decided_by_naming_the_minutes_that_list_it(staffed: Office) -> None:
    early = await submitted(staffed, 0)
    task = await staffed.open_task(early, "verification")
    minutes = await carried_out(
        staffed, (await record(staffed, await paper(staffed.scene, (early, "forward")))).json()["id"]
    )
    assert results(minutes) == {early: "not_in_deliberation"}
    puskesos, head = await staffed.desk_of("puskesos.taraju"), await staffed.desk_of("kades.taraju")
    await puskesos.post(f"/v1/tasks/{task}/decision", json={"outcome": "forward"})
    task = await staffed.open_task(early, "deliberation")
    by_number = {"type": "musdes", "number": minutes["number"], "held_on": today()}
    for named, code in (
        ({"outcome": "forward", "minutes": by_number | {"number": "0/BA/1999"}}, "minutes_not_recorded"),
        ({"outcome": "forward", "minutes": {"id": str(uuid4())}}, "minutes_not_recorded"),
        ({"outcome": "reject", "reason": "not_eligible_means", "minutes": by_number}, "minutes_say_otherwise"),
        ({"outcome": "forward"}, "minutes_required"),
    ):
        answer = await head.post(f"/v1/tasks/{task}/decision", json=named)
        assert (answer.status_code, _codes(answer)) == (422, [code])
    answer = await head.post(f"/v1/tasks/{task}/decision", json={"outcome": "forward", "minutes": by_number})
    assert answer.status_code == 200, answer.text
    (decision,) = await decisions_of(staffed, early)
    assert decision.minutes["id"] == minutes["id"]


async def test_paper_sent_again_under_its_key_is_recorded_once(staffed: Office) -> None:
    (case,) = await in_deliberation(staffed, 1)
    body = await paper(staffed.scene, (case, "forward"))
    answers = await asyncio.gather(*(record(staffed, body, key="musdes") for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    minutes = await carried_out(staffed, answers[0].json()["id"])
    again = await record(staffed, body, key="musdes")
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (minutes, "true")
    assert len(await decisions_of(staffed, case)) == 1


async def test_of_two_papers_about_one_case_one_decides_it_and_the_other_says_who_did(staffed: Office) -> None:
    cases = await in_deliberation(staffed, 3)
    one = await paper(staffed.scene, *((case, "forward") for case in cases), number="1/BA")
    other = await paper(
        staffed.scene, *((case, "reject", "not_eligible_means") for case in reversed(cases)), number="2/BA"
    )
    answers = await asyncio.gather(record(staffed, one), record(staffed, other))
    first, second = [await carried_out(staffed, answer.json()["id"]) for answer in answers]
    for case in cases:
        pair = {results(first)[case], results(second)[case]}
        assert "decided" in pair
        assert pair - {"decided"} <= {"already_decided", "case_closed"}
        assert len(pair) == 2
        (decision,) = await decisions_of(staffed, case)
        won = first if results(first)[case] == "decided" else second
        assert decision.minutes["id"] == won["id"]
    lost = [case for minutes in (first, second) for case in minutes["cases"] if case["result"] == "already_decided"]
    assert all(case["decided_by"]["id"] == str(user("kades.taraju")) for case in lost)
    assert all(case["code"] == "task_already_decided" for case in lost)


async def test_paper_and_an_administrator_at_once_leave_each_case_where_one_of_them_put_it(staffed: Office) -> None:
    cases = await in_deliberation(staffed, 3)
    admin = await staffed.desk_of("admin")
    body = await paper(staffed.scene, *((case, "forward") for case in cases))
    answer, *sent = await asyncio.gather(
        record(staffed, body),
        *(
            admin.post(f"/v1/updates/{case}/correction", json={"to": "verification", "reason": "stuck"})
            for case in cases
        ),
    )
    assert {each.status_code for each in sent} == {200}, [each.text for each in sent]
    minutes = await carried_out(staffed, answer.json()["id"])
    for case in cases:
        stands = await staffed.scene.case(UUID(case))
        decisions = await decisions_of(staffed, case)
        assert stands.stage == "verification"
        assert len(decisions) == (results(minutes)[case] == "decided")
        assert results(minutes)[case] in {"decided", "not_in_deliberation"}


async def test_nobody_but_the_head_records_for_the_village(office: Office) -> None:
    body = await paper(office.scene, covers="listed", cases=[])
    for name, status in (("operator.taraju", 403), ("puskesos.taraju", 403), ("kabid", 403), ("kades.cikubang", 404)):
        answer = await record(office, body, by=name)
        assert answer.status_code == status, (name, answer.text)
    assert await office.scene.rows("SELECT 1 FROM minutes WHERE type = 'musdes'") == []


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "a day to come": ({"held_on": "2099-01-01"}, "date_in_future", "/held_on"),
    "a day before the case": ({"held_on": "2025-01-01"}, "date_before_submission", "/cases/0/update_id"),
    "no scan": ({"scan": None}, "scan_missing", "/scan"),
    "a scan nobody has": ({"scan": str(uuid4())}, "scan_unknown", "/scan"),
    "no place": ({"place": None}, "place_missing", "/place"),
    "few who attend": ({"attendance": [{"group": "families", "present": 2}]}, "attendance_under_quorum", "/attendance"),
    "a missing hand": ({"signed_by": SIGNED[:1]}, "signature_missing", "/signed_by"),
    "no cases": ({"cases": []}, "cases_missing", "/cases"),
    "all of the village": ({"covers": "village", "cases": []}, "musdes_covers_what_it_lists", "/covers"),
    "a correction of nothing": ({"correction": "Salah ketik."}, "correction_of_nothing", "/correction"),
}


@pytest.mark.parametrize(("change", "code", "pointer"), WRONG.values(), ids=WRONG)
async def test_paper_that_is_wrong_is_refused_and_leaves_nothing(
    office: Office, change: dict[str, Any], code: str, pointer: str
) -> None:
    case = await submitted(office, 0)
    body = await paper(office.scene, (case, "forward")) | change
    answer = await record(office, body)
    assert answer.status_code == 422, answer.text
    assert [(each["code"], each["pointer"]) for each in answer.json()["violations"]] == [(code, pointer)]
    assert all(each["remedy"] for each in answer.json()["violations"])
    assert await _left(office.scene) == 0


async def test_cases_that_do_not_belong_on_the_paper_are_each_named(office: Office) -> None:
    mine = await submitted(office, 0)
    body = await paper(
        office.scene,
        (mine, "forward"),
        (mine, "forward"),
        (str(uuid4()), "forward"),
        (str(uuid4()), "return", "quota"),
    )
    answer = await record(office, body)
    found = [(each["code"], each["pointer"]) for each in answer.json()["violations"]]
    assert found == [
        ("case_listed_twice", "/cases/0/update_id"),
        ("case_listed_twice", "/cases/1/update_id"),
        ("case_not_of_village", "/cases/2/update_id"),
        ("case_not_of_village", "/cases/3/update_id"),
        ("reason_unfit", "/cases/3/reason"),
    ]


async def test_scan_is_of_this_paper_alone(office: Office) -> None:
    case = await submitted(office, 0)
    first = await record(office, await paper(office.scene, (case, "forward"), number="1/BA"))
    assert first.status_code == 201, first.text
    for scan, code in (
        (first.json()["scan"], "scan_of_other_minutes"),
        (await scanned(office.scene, kind="sptjm"), "scan_of_other_type"),
        (await scanned(office.scene, area_code=CIKUBANG), "scan_unknown"),
    ):
        answer = await record(office, await paper(office.scene, (case, "forward"), number="2/BA", scan=scan))
        assert (answer.status_code, _codes(answer)) == (422, [code])


async def test_number_is_used_once_in_the_village_and_year_until_its_record_is_corrected(staffed: Office) -> None:
    first_case, second_case = await in_deliberation(staffed, 2)
    scene = staffed.scene
    wrong = await carried_out(
        staffed, (await record(staffed, await paper(scene, (first_case, "forward"), number="7/BA"))).json()["id"]
    )
    taken = await record(staffed, await paper(scene, (second_case, "forward"), number="7/BA"))
    assert (taken.status_code, _codes(taken)) == (422, ["number_taken"])
    corrected = await paper(
        scene,
        (first_case, "forward"),
        (second_case, "forward"),
        number="8/BA",
        supersedes=wrong["id"],
        correction="Nomor salah ketik, satu usulan terlewat.",
    )
    right = await carried_out(staffed, (await record(staffed, corrected)).json()["id"])
    assert results(right) == {first_case: "stands", second_case: "decided"}
    before = (await (await staffed.desk_of("kades.taraju")).get(f"/v1/minutes/{wrong['id']}")).json()
    assert (before["superseded_by"], right["supersedes"]) == (right["id"], wrong["id"])
    assert [event.type for event in await _trail(scene, wrong["id"])][-1] == "minutes.superseded"
    again = await record(staffed, corrected | {"scan": await scanned(scene), "number": "9/BA"})
    assert (again.status_code, again.json()["code"]) == (409, "not_possible_now")
    free = await record(staffed, await paper(scene, (first_case, "forward"), number="7/BA"))
    assert free.status_code == 201, free.text
    late = await carried_out(staffed, free.json()["id"])
    assert results(late) == {first_case: "already_decided"}


async def test_sptjm_says_why_no_musdes_was_held_and_lists_its_cases(staffed: Office) -> None:
    (case,) = await in_deliberation(staffed, 1)
    scan = await scanned(staffed.scene, kind="sptjm")
    sptjm: dict[str, Any] = {"type": "sptjm", "place": None, "attendance": [], "scan": scan}
    body = await paper(staffed.scene, (case, "forward"), number="1/SPTJM", **sptjm)
    silent = await record(staffed, body)
    assert (silent.status_code, _codes(silent)) == (422, ["reason_missing"])
    whole = await record(staffed, body | {"why_none_held": "Jalan terputus.", "covers": "village", "cases": []})
    assert (whole.status_code, _codes(whole)) == (422, ["sptjm_lists_its_cases"])
    answer = await record(staffed, body | {"why_none_held": "Jalan desa terputus longsor."})
    assert answer.status_code == 201, answer.text
    assert results(await carried_out(staffed, answer.json()["id"])) == {case: "decided"}


async def test_list_is_of_the_own_villages_the_newest_first(office: Office) -> None:
    case = await submitted(office, 0)
    for number in ("1/BA", "2/BA"):
        await record(office, await paper(office.scene, (case, "forward"), number=number))
    seen = (await (await office.desk_of("puskesos.taraju")).get("/v1/minutes?limit=2")).json()
    assert [each["number"] for each in seen["items"]] == ["2/BA", "1/BA"]
    elsewhere = (await (await office.desk_of("kades.cikubang")).get("/v1/minutes")).json()
    assert {each["area"]["code"] for each in elsewhere["items"]} == {CIKUBANG}
    hidden = await (await office.desk_of("kades.cikubang")).get(f"/v1/minutes/{seen['items'][0]['id']}")
    assert hidden.status_code == 404


def _codes(answer: Any) -> list[str]:
    return [each["code"] for each in answer.json()["violations"]]


async def _trail(scene: Scene, minutes_id: str) -> list[Any]:
    return await scene.rows(
        "SELECT * FROM audit_events WHERE stream = :stream ORDER BY seq", stream=f"minutes:{minutes_id}"
    )


async def _left(scene: Scene) -> int:
    statement = """
        SELECT (SELECT count(*) FROM minutes WHERE type = 'musdes') + (SELECT count(*) FROM minutes_cases)
             + (SELECT count(*) FROM outbox WHERE topic = 'start_minutes')
             + (SELECT count(*) FROM idempotency_keys WHERE route LIKE 'POST /v1/minutes%') AS n
    """
    return (await scene.one(statement)).n
