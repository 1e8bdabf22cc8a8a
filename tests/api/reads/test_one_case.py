"""One update in full: what every tier sees of it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.circumstances import Floor
from domain.errors import DomainError
from domain.ids import new_id
from tests.api.reads.casebook import MINUTES, Casebook, known_household
from tests.rounds import dates, planned, today

NIK_TYPED = "3206130904820072"


def _action(case: dict[str, object], name: str) -> dict[str, object]:
    actions: list[dict[str, object]] = case["actions"]  # pyright: ignore[reportAssignmentType]
    return next(action for action in actions if action["name"] == name)


async def test_every_tier_sees_who_holds_the_case_since_when_and_until_when(book: Casebook) -> None:
    update_id = await book.in_verification()
    for reader in ("operator.taraju", "bpd.taraju", "slrt.taraju", "bupati", "kemensos"):
        case = await book.read(reader, f"/v1/updates/{update_id}")
        holder = case["task"]["holder"]
        assert holder["party"] == "officers"
        assert [(desk["role"], [office["name"] for office in desk["offices"]]) for desk in holder["desks"]] == [
            ("puskesos_officer", ["PUSKESOS Desa Taraju"]),
        ]
        assert holder["claimed_by"] is None
        assert case["task"]["deadline"]["due_at"] > holder["since"]


async def test_the_deadline_is_explained_in_both_languages_and_as_data(book: Casebook) -> None:
    update_id = await book.in_verification()
    deadline = (await book.read("operator.taraju", f"/v1/updates/{update_id}"))["task"]["deadline"]
    assert "5 hari kerja" in deadline["sentence"]["id"]
    assert "5 working days" in deadline["sentence"]["en"]
    assert deadline["reckoning"]["counted_days"] == 5
    assert deadline["overdue"] is False


async def test_the_next_rung_says_what_happens_when_nobody_acts(book: Casebook) -> None:
    update_id = await book.in_verification()
    task = (await book.read("operator.taraju", f"/v1/updates/{update_id}"))["task"]
    assert (task["next_rung"]["action"], task["next_rung"]["to"]) == ("remind", "holder")
    assert task["next_rung"]["at"] == task["next_look_at"]

    await book.let_lapse(update_id)
    case = await book.read("operator.taraju", f"/v1/updates/{update_id}")
    assert [rung["action"] for rung in case["escalations"]] == ["remind", "escalate"]
    assert case["task"]["next_rung"]["rung"] == 2
    assert case["task"]["next_rung"]["at"] == case["task"]["next_look_at"]
    assert (case["level"], case["cause"], case["task"]["deadline"]["overdue"]) == (1, "deadline", True)
    assert {"role": "district_supervisor", "power": "decide", "rung": 1} in case["task"]["powers"]


async def test_actions_are_judged_by_the_rules_that_judge_the_act(book: Casebook) -> None:
    update_id = await book.in_verification()
    path = f"/v1/updates/{update_id}"

    officer = await book.read("puskesos.taraju", path)
    assert _action(officer, "decide")["allowed"] is True
    assert _action(officer, "decide")["outcomes"] == ["forward", "reject", "return"]
    operator = await book.read("operator.taraju", path)
    assert _action(operator, "decide")["because"]["code"] == "forbidden"  # pyright: ignore[reportIndexIssue]
    assert _action(operator, "withdraw")["allowed"] is True
    assert _action(operator, "resubmit")["because"]["code"] == "not_possible_now"  # pyright: ignore[reportIndexIssue]
    regent = await book.read("bupati", path)
    assert not any(action["allowed"] for action in regent["actions"])


async def test_who_submitted_is_told_that_somebody_else_has_to_decide(book: Casebook) -> None:
    update_id = await book.submit(by="serba.deudeul", area_code="32.06.13.2003")
    await book.check_identity(update_id)
    case = await book.read("serba.deudeul", f"/v1/updates/{update_id}")
    assert (case["level"], case["cause"]) == (1, "no_eligible_decider")
    assert _action(case, "decide")["because"]["code"] == "separation_of_duties"  # pyright: ignore[reportIndexIssue]
    supervisor = await book.read("slrt.taraju", f"/v1/updates/{update_id}")
    assert _action(supervisor, "decide")["allowed"] is True


async def test_what_is_allowed_is_carried_out_and_what_is_not_is_refused_for_the_same_reason(book: Casebook) -> None:
    update_id = await book.in_verification()
    refused = _action(await book.read("kades.taraju", f"/v1/updates/{update_id}"), "decide")
    with pytest.raises(Exception, match=r"This task is decided by: puskesos_officer") as caught:
        await book.decide(update_id, "kades.taraju")
    assert not isinstance(caught.value, DomainError)
    assert refused["because"]["detail"] == "This task is decided by: puskesos_officer."  # pyright: ignore[reportIndexIssue]


async def test_numbers_of_persons_are_masked_wherever_they_stand(book: Casebook) -> None:
    household = known_household()
    update_id = await book.in_verification()
    await book.decide(
        update_id, "puskesos.taraju", "return", reason="unclear_photo", note=f"Foto NIK {NIK_TYPED} buram"
    )
    for path in ("", "/diff", "/timeline", "/audit"):
        text = (await book.get("operator.taraju", f"/v1/updates/{update_id}{path}")).text
        assert NIK_TYPED not in text
        assert household.kk_number not in text
        assert not any(member.nik and member.nik in text for member in household.members)
    case = await book.read("operator.taraju", f"/v1/updates/{update_id}")
    assert case["decisions"][-1]["note"] == "Foto NIK 3206••••••••0072 buram"


async def test_decisions_say_who_in_which_seat_and_why_in_two_languages(book: Casebook) -> None:
    update_id = await book.in_verification()
    await book.decide(update_id, "puskesos.taraju")
    await book.decide(update_id, "kades.taraju", minutes=MINUTES)
    await book.decide(update_id, "verifikator", "return", reason="incomplete_documents", note="KK belum dilampirkan")
    case = await book.read("operator.taraju", f"/v1/updates/{update_id}")
    system, verified, deliberated, returned = case["decisions"]
    assert (system["decided_by"], system["actor"], system["outcome"]) == ("system", None, "forward")
    assert verified["actor"]["name"] == "Petugas PUSKESOS Taraju"
    assert (verified["role"], verified["office"]["name"]) == ("puskesos_officer", "PUSKESOS Desa Taraju")
    assert deliberated["minutes"]["number"] == MINUTES["number"]
    assert returned["reason"]["code"] == "incomplete_documents"
    assert returned["reason"]["label"]["id"] != returned["reason"]["label"]["en"]
    assert returned["note"] == "KK belum dilampirkan"
    assert (case["status"], case["stage"], case["reason"]["code"]) == ("returned", "repair", "incomplete_documents")
    assert _action(case, "resubmit")["allowed"] is True
    assert _action(case, "claim")["allowed"] is True
    assert _action(case, "decide")["because"]["code"] == "not_possible_now"  # pyright: ignore[reportIndexIssue]


async def test_identity_answers_name_the_field_and_never_a_number(book: Casebook) -> None:
    update_id = await book.submit()
    await book.check_identity(update_id, result="mismatched", fields=("name",))
    case = await book.read("operator.taraju", f"/v1/updates/{update_id}")
    (answer,) = case["identity"]
    head = known_household().head
    assert head is not None
    assert (answer["person"], answer["name"]) == (str(head.id), head.name)
    assert (answer["result"], answer["fields"], answer["as_expected"]) == ("mismatched", ["name"], False)
    assert answer["expected"] == ["matched"]
    assert case["reason"]["code"] == "identity_mismatch"


async def test_two_open_updates_of_one_household_are_shown_to_each_other(book: Casebook) -> None:
    first, second = await book.in_verification(), await book.submit()
    case = await book.read("operator.taraju", f"/v1/updates/{first}")
    assert [neighbour["id"] for neighbour in case["neighbours"]] == [str(second)]
    assert case["neighbours"][0]["status"] == "received"


async def test_a_received_update_waits_for_the_system_and_has_no_task(book: Casebook) -> None:
    update_id = await book.submit()
    case = await book.read("operator.taraju", f"/v1/updates/{update_id}")
    assert (case["status"], case["task"], case["stage"]) == ("received", None, None)
    assert case["route"][0] == "identity_check"
    assert _action(case, "claim")["because"]["code"] == "not_possible_now"  # pyright: ignore[reportIndexIssue]


async def test_whoever_holds_the_version_is_not_sent_it_again(book: Casebook) -> None:
    update_id = await book.in_verification()
    path = f"/v1/updates/{update_id}"
    first = await book.get("operator.taraju", path)
    tag = first.headers["ETag"]
    assert tag.startswith(f'"v{first.json()["version"]}.')
    again = await book.get("operator.taraju", path, headers={"If-None-Match": f'"v1", {tag}'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    await book.decide(update_id, "puskesos.taraju")
    moved = await book.get("operator.taraju", path, headers={"If-None-Match": tag})
    assert moved.status_code == 200
    assert moved.headers["ETag"] != tag


async def test_a_round_that_moves_the_answer_is_not_hidden_by_the_version(book: Casebook) -> None:
    update_id = await book.in_verification()
    path = f"/v1/updates/{update_id}"
    before = await book.get("operator.taraju", path)
    day = today(book.clock.at)
    await planned(book.scene, dates(day, day + timedelta(days=20)), at=book.clock.at)
    after = await book.get("operator.taraju", path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert (before.json()["round"], after.json()["round"] is not None) == (None, True)
    assert after.json()["version"] == before.json()["version"]


async def test_the_diff_shows_before_proposed_and_what_somebody_else_made_of_it(book: Casebook) -> None:
    household = known_household()
    update_id = await book.in_verification()
    path = f"/v1/updates/{update_id}/diff"
    fields = {field["pointer"]: field for field in (await book.read("kades.taraju", path))["fields"]}
    floor = fields["/circumstances/floor"]
    assert floor["before"] == household.circumstances.floor
    assert (floor["proposed"], floor["current"], floor["moved"]) == ("ceramic", floor["before"], False)

    other = household.circumstances.model_copy(update={"floor": Floor.MARBLE_GRANITE})
    await book.scene.change_meanwhile(household, circumstances=other)
    compared = await book.read("kades.taraju", path)
    floor = next(field for field in compared["fields"] if field["pointer"] == "/circumstances/floor")
    assert (floor["current"], floor["moved"]) == ("marble_granite", True)
    assert (compared["base_version"], compared["current_version"]) == (household.version, household.version + 1)


async def test_the_workflow_is_asked_live_and_its_absence_is_a_503(book: Casebook) -> None:
    update_id = await book.in_verification()
    answer = await book.get("operator.taraju", f"/v1/updates/{update_id}/live")
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unavailable")
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("part", ["", "/timeline", "/diff", "/audit", "/live"])
async def test_outside_the_area_there_is_no_such_update(book: Casebook, part: str) -> None:
    update_id = await book.in_verification()
    for foreigner in ("operator.cikubang", "kades.deudeul"):
        foreign = await book.get(foreigner, f"/v1/updates/{update_id}{part}")
        unknown = await book.get(foreigner, f"/v1/updates/{new_id()}{part}")
        assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
        assert _told(foreign.json(), update_id) == _told(unknown.json(), None)


def _told(problem: dict[str, str], update_id: UUID | None) -> dict[str, str]:
    """The problem without what differs by the question itself."""
    del update_id
    return {name: value for name, value in problem.items() if name not in {"instance", "detail"}}


async def test_who_only_watches_what_is_stalled_reads_no_case(book: Casebook) -> None:
    update_id = await book.in_verification()
    answer = await book.get("provinsi", f"/v1/updates/{update_id}")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
