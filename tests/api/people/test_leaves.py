"""Somebody is away: who decides in their place, for how long, and what of both is kept apart."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from temporalio.exceptions import ApplicationError

from domain.vocabulary import Role
from tests.api.people.staff import Staff
from tests.scene import MINUTES_JSON, user

TARAJU, CIKUBANG, DEUDEUL, REGENCY = "32.06.13.2001", "32.06.13.2002", "32.06.13.2003", "32.06"
HOLDER, DELEGATE = "puskesos.taraju", "puskesos.cikubang"


def seat_of_holder(staff: Staff) -> str:
    return staff.membership(HOLDER, Role.PUSKESOS_OFFICER, TARAJU)


async def refusal(staff: Staff, update_id: UUID, by: str) -> str | None:
    """The code with which casework refuses a decision."""
    with pytest.raises(ApplicationError) as refused:
        await staff.decide(update_id, by)
    return refused.value.type


async def test_delegate_sees_and_decides_on_behalf_of_the_holder_who_no_longer_does(staff: Staff) -> None:
    update_id = await staff.in_verification()
    assert str(update_id) in await staff.queue(HOLDER)
    assert str(update_id) not in await staff.queue(DELEGATE)
    me = await staff.read(HOLDER, "/v1/me")
    assert me["seats"][0]["membership_id"] == seat_of_holder(staff)
    declared = await staff.done(
        HOLDER, "POST", "/v1/delegations", staff.leave(me["seats"][0]["membership_id"], DELEGATE)
    )
    assert declared["running"]
    assert (declared["holder"]["id"], declared["delegate"]["id"]) == (str(user(HOLDER)), str(user(DELEGATE)))

    assert str(update_id) not in await staff.queue(HOLDER)
    assert str(update_id) in await staff.queue(DELEGATE)
    assert await refusal(staff, update_id, HOLDER) == "forbidden"
    lent = [seat for seat in (await staff.read(DELEGATE, "/v1/me"))["seats"] if seat["on_behalf_of"]]
    assert [(seat["on_behalf_of"], seat["area_code"]) for seat in lent] == [(str(user(HOLDER)), TARAJU)]
    assert "area:updates:submit" not in lent[0]["permissions"], "nobody submits for another"

    task_id = (await staff.scene.case(update_id)).task
    claimed = await staff.done(DELEGATE, "POST", f"/v1/tasks/{task_id}/claim")
    assert claimed["claimed_by"] == str(user(DELEGATE))
    await staff.decide(update_id, DELEGATE)
    decision = await staff.scene.one("SELECT * FROM decisions WHERE task_id = :id", id=task_id)
    assert (decision.actor_id, decision.on_behalf_of) == (user(DELEGATE), user(HOLDER))
    told = (await staff.read("kades.taraju", f"/v1/updates/{update_id}"))["decisions"][-1]
    assert (told["actor"]["id"], told["on_behalf_of"]["id"]) == (str(user(DELEGATE)), str(user(HOLDER)))
    timeline = (await staff.read("kades.taraju", f"/v1/updates/{update_id}/timeline"))["events"]
    for kind in ("task.claimed", "task.decided"):
        (event,) = [event for event in timeline if event["type"] == kind and event["actor"]]
        assert event["on_behalf_of"]["id"] == str(user(HOLDER)), kind


async def test_delegate_takes_over_what_the_holder_had_claimed_and_is_told_what_they_are_told(staff: Staff) -> None:
    update_id = await staff.in_verification()
    task_id = (await staff.scene.case(update_id)).task
    await staff.done(HOLDER, "POST", f"/v1/tasks/{task_id}/claim")
    assert (await staff.refused(DELEGATE, "POST", f"/v1/tasks/{task_id}/claim"))[0] == 404
    await staff.done(HOLDER, "POST", "/v1/delegations", staff.leave(seat_of_holder(staff), DELEGATE, days=30))
    case = await staff.scene.case(update_id)
    staff.clock.at = case.next_milestone_at
    await staff.milestone(update_id)
    assert "reminder" in {told["subject"] for told in (await staff.read(DELEGATE, "/v1/notifications"))["items"]}
    claimed = await staff.done(DELEGATE, "POST", f"/v1/tasks/{task_id}/claim")
    assert claimed["claimed_by"] == str(user(DELEGATE))


async def test_leave_ends_by_itself(staff: Staff) -> None:
    update_id = await staff.in_verification()
    await staff.done(HOLDER, "POST", "/v1/delegations", staff.leave(seat_of_holder(staff), DELEGATE, days=1))
    staff.clock.advance(days=1)
    assert str(update_id) in await staff.queue(HOLDER)
    assert str(update_id) not in await staff.queue(DELEGATE)
    assert await refusal(staff, update_id, DELEGATE) == "not_found"
    await staff.decide(update_id, HOLDER)


@pytest.mark.parametrize("by", [HOLDER, DELEGATE, "slrt.taraju"])
async def test_leave_is_ended_before_its_time_by_either_and_by_a_superior(staff: Staff, by: str) -> None:
    update_id = await staff.in_verification()
    declared = await staff.done(HOLDER, "POST", "/v1/delegations", staff.leave(seat_of_holder(staff), DELEGATE))
    ended = await staff.done(by, "POST", f"/v1/delegations/{declared['id']}/revocation")
    assert not ended["running"]
    assert str(update_id) in await staff.queue(HOLDER)
    again = await staff.refused(by, "POST", f"/v1/delegations/{declared['id']}/revocation")
    assert again == (409, "not_possible_now")
    for account in (HOLDER, DELEGATE):
        events = [event for event in await staff.account_events(user(account)) if event.type.startswith("delegation")]
        assert [event.type for event in events] == ["delegation.declared", "delegation.ended"]
        assert events[-1].actor_id == user(by)
        assert events[-1].data["before"] != events[-1].data["after"]


async def test_what_the_holder_submitted_the_delegate_does_not_decide(staff: Staff) -> None:
    """In Deudeul one person is operator and PUSKESOS officer; whoever stands in for the officer is barred too."""
    held = staff.membership("serba.deudeul", Role.PUSKESOS_OFFICER, DEUDEUL)
    await staff.done("serba.deudeul", "POST", "/v1/delegations", staff.leave(held, HOLDER))
    update_id = await staff.in_verification(by="serba.deudeul", area_code=DEUDEUL)
    case = await staff.scene.case(update_id)
    assert (case.level, case.cause) == (1, "no_eligible_decider")
    assert await refusal(staff, update_id, HOLDER) == "separation_of_duties"
    assert str(update_id) not in await staff.queue(HOLDER)


async def test_what_another_submitted_there_the_delegate_decides(staff: Staff) -> None:
    held = staff.membership("serba.deudeul", Role.PUSKESOS_OFFICER, DEUDEUL)
    await staff.hire("operator2.deudeul", Role.VILLAGE_OPERATOR, DEUDEUL)
    await staff.done("serba.deudeul", "POST", "/v1/delegations", staff.leave(held, HOLDER))
    update_id = await staff.in_verification(by="operator2.deudeul", area_code=DEUDEUL)
    assert (await staff.scene.case(update_id)).level == 0
    await staff.decide(update_id, HOLDER)


async def test_neither_of_the_two_decides_in_a_later_stage(staff: Staff) -> None:
    for username in (HOLDER, DELEGATE):
        await staff.hire(username, Role.REGENCY_VERIFIER, REGENCY)
    declared = await staff.done(HOLDER, "POST", "/v1/delegations", staff.leave(seat_of_holder(staff), DELEGATE))
    update_id = await staff.in_verification()
    await staff.decide(update_id, DELEGATE)
    await staff.decide(update_id, "kades.taraju", minutes=MINUTES_JSON)
    await staff.done(HOLDER, "POST", f"/v1/delegations/{declared['id']}/revocation")
    for username in (HOLDER, DELEGATE):
        assert await refusal(staff, update_id, username) == "separation_of_duties", username
        assert str(update_id) not in await staff.queue(username)
    await staff.decide(update_id, "verifikator")


async def test_there_are_no_chains(staff: Staff) -> None:
    seat = seat_of_holder(staff)
    theirs = staff.membership(DELEGATE, Role.PUSKESOS_OFFICER, CIKUBANG)
    await staff.done(HOLDER, "POST", "/v1/delegations", staff.leave(seat, DELEGATE))
    assert await staff.refused(DELEGATE, "POST", "/v1/delegations", staff.leave(theirs, "slrt.taraju")) == (
        422,
        "holder_stands_in",
    )
    assert await staff.refused("slrt.taraju", "POST", "/v1/delegations", staff.leave(theirs, HOLDER)) == (
        422,
        "delegate_on_leave",
    )
    assert await staff.refused(HOLDER, "POST", "/v1/delegations", staff.leave(seat, "slrt.taraju")) == (
        422,
        "leave_overlaps",
    )
    # What is lent is no membership: nobody can lend it on.
    lent = (await staff.read(DELEGATE, "/v1/me"))["seats"][-1]
    assert lent["membership_id"] == seat
    assert await staff.refused(DELEGATE, "POST", "/v1/delegations", staff.leave(seat, "slrt.taraju")) == (
        404,
        "not_found",
    )


@pytest.mark.parametrize(
    ("by", "delegate", "answer"),
    [
        (HOLDER, HOLDER, (422, "delegate_is_holder")),
        ("slrt.taraju", "slrt.taraju", (422, "delegate_is_declarer")),
        (HOLDER, "evaluator", (422, "delegate_unfit")),
        (HOLDER, "bpd.taraju", (422, "delegate_unfit")),
        (HOLDER, "nobody", (422, "delegate_unknown")),
        ("kades.taraju", DELEGATE, (404, "not_found")),
        ("operator.cikubang", DELEGATE, (404, "not_found")),
        ("evaluator", DELEGATE, (404, "not_found")),
        ("slrt.taraju", DELEGATE, (201, "")),
        ("kabid", DELEGATE, (201, "")),
        ("admin", DELEGATE, (201, "")),
    ],
)
async def test_who_may_declare_a_leave_and_for_whom(
    staff: Staff,
    by: str,
    delegate: str,
    answer: tuple[int, str],
) -> None:
    body = staff.leave(seat_of_holder(staff), delegate)
    if answer[0] == 201:
        await staff.done(by, "POST", "/v1/delegations", body)
    else:
        assert await staff.refused(by, "POST", "/v1/delegations", body) == answer


async def test_supervisor_of_the_tier_sends_nobody_of_a_higher_one_on_leave(staff: Staff) -> None:
    held = staff.membership("kadis", Role.REGENCY_HEAD, REGENCY)
    assert await staff.refused("kabid", "POST", "/v1/delegations", staff.leave(held, "verifikator")) == (
        403,
        "forbidden",
    )
    assert await staff.refused("slrt.taraju", "POST", "/v1/delegations", staff.leave(held, "kabid")) == (
        404,
        "not_found",
    )
    lower = staff.membership("verifikator", Role.REGENCY_VERIFIER, REGENCY)
    assert await staff.refused("kadis", "POST", "/v1/delegations", staff.leave(lower, "kades.taraju")) == (
        422,
        "delegate_unfit",
    ), "a village head is of a lower tier"
    await staff.done("kadis", "POST", "/v1/delegations", staff.leave(lower, "verifikator2"))


async def test_bad_periods_are_named(staff: Staff) -> None:
    seat = seat_of_holder(staff)
    past = staff.leave(seat, DELEGATE, days=-1)
    assert await staff.refused(HOLDER, "POST", "/v1/delegations", past) == (422, "period_empty")
    assert await staff.refused(HOLDER, "POST", "/v1/delegations", staff.leave(seat, DELEGATE, days=400)) == (
        422,
        "period_too_long",
    )
    assert await staff.refused(HOLDER, "POST", "/v1/delegations", staff.leave(seat, DELEGATE) | {"reason": "ill"}) == (
        422,
        "value_unknown",
    )


async def test_absent_holder_for_whom_nobody_stands_in_is_not_eligible(staff: Staff) -> None:
    await staff.done(HOLDER, "POST", "/v1/delegations", staff.leave(seat_of_holder(staff), None))
    case = await staff.scene.case(await staff.in_verification())
    assert (case.level, case.cause) == (1, "no_eligible_decider")


async def test_open_case_climbs_at_the_moment_at_which_its_only_decider_goes_on_leave(staff: Staff) -> None:
    update_id = await staff.in_verification()
    begins = staff.clock.at.replace(microsecond=0)
    body = staff.leave(seat_of_holder(staff), None, valid_from=staff.clock.advance(days=1).isoformat())
    staff.clock.at = begins
    await staff.done(HOLDER, "POST", "/v1/delegations", body)
    assert await staff.look_again() == [], "not before it begins"
    staff.clock.advance(days=1, seconds=1)
    assert await staff.look_again() == [update_id]
    case = await staff.scene.case(update_id)
    assert (case.level, case.cause) == (1, "no_eligible_decider")
    assert [
        row.rung for row in await staff.scene.rows("SELECT rung FROM escalations WHERE task_id = :id", id=case.task)
    ]
    assert await staff.look_again() == [], "woken once"


async def test_nothing_climbs_when_somebody_stands_in(staff: Staff) -> None:
    update_id = await staff.in_verification()
    await staff.done(HOLDER, "POST", "/v1/delegations", staff.leave(seat_of_holder(staff), DELEGATE))
    assert await staff.look_again() == []
    assert (await staff.scene.case(update_id)).level == 0


async def test_candidates_are_found_by_name_among_those_who_may(staff: Staff) -> None:
    query: dict[str, Any] = {"membership_id": seat_of_holder(staff), "q": "petugas"}
    found = (await staff.read(HOLDER, "/v1/delegations/candidates", **query))["items"]
    assert [person["id"] for person in found if person["area_code"] == CIKUBANG] == [str(user(DELEGATE))]
    assert str(user(HOLDER)) not in {person["id"] for person in found}
    foreign = await staff.get("operator.cikubang", "/v1/delegations/candidates", **query)
    assert foreign.status_code == 404


async def test_leave_is_declared_once_for_each_key(staff: Staff) -> None:
    body = staff.leave(seat_of_holder(staff), DELEGATE)
    first = await staff.send(HOLDER, "POST", "/v1/delegations", body, key="once")
    again = await staff.send(HOLDER, "POST", "/v1/delegations", body, key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    others = (await staff.read("operator.cikubang", "/v1/delegations"))["items"]
    assert others == []
    assert [leave["id"] for leave in (await staff.read("slrt.taraju", "/v1/delegations"))["items"]] == [
        first.json()["id"]
    ]
