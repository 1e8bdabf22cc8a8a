"""Somebody leaves for good: in one act nothing of theirs is left, and no case is left with nobody."""

from __future__ import annotations

from domain.vocabulary import Role
from tests.api.people.staff import Staff
from tests.api.reads.casebook import known_household
from tests.scene import user

TARAJU = "32.06.13.2001"
LEAVER = "puskesos.taraju"


def handover(username: str = LEAVER) -> str:
    return f"/v1/users/{user(username)}/handover"


async def test_claimed_tasks_go_to_whoever_may_decide_them_and_the_others_are_free(staff: Staff) -> None:
    await staff.hire("pengganti", Role.PUSKESOS_OFFICER, TARAJU)
    await staff.hire("pengganti", Role.VILLAGE_OPERATOR, TARAJU)
    first = await staff.in_verification(household=known_household())
    own = await staff.in_verification(household=known_household(place=1), by="pengganti")
    tasks = {update_id: (await staff.scene.case(update_id)).task for update_id in (first, own)}
    for task_id in tasks.values():
        await staff.done(LEAVER, "POST", f"/v1/tasks/{task_id}/claim")
    done = await staff.done("admin", "POST", handover(), {"to": str(user("pengganti"))})
    assert {task["update_id"]: (task["handed_to"], task["because"]) for task in done["tasks"]} == {
        str(first): (str(user("pengganti")), None),
        str(own): (None, "separation_of_duties"),
    }
    assert done["memberships_ended"] == [staff.membership(LEAVER, Role.PUSKESOS_OFFICER, TARAJU)]
    assert done["disabled"]
    holders = await staff.scene.rows("SELECT update_id, claimed_by FROM tasks WHERE status = 'open'")
    assert {row.update_id: row.claimed_by for row in holders} == {first: user("pengganti"), own: None}
    assert (await staff.get(LEAVER, "/v1/me")).status_code == 401
    (handed, released) = [(await staff.scene.events(update_id))[-1] for update_id in (first, own)]
    assert (handed.type, handed.actor_id, handed.data["to"]) == (
        "task.reassigned",
        user("admin"),
        str(user("pengganti")),
    )
    assert released.type == "task.released"
    events = await staff.account_events(user(LEAVER))
    assert [event.type for event in events][-3:] == ["membership.ended", "account.disabled", "account.handed_over"]
    assert events[-1].data["tasks_handed_over"] == 1
    told = [told["subject"] for told in (await staff.read("pengganti", "/v1/notifications"))["items"]]
    assert "handed_over" in told


async def test_case_that_is_left_with_nobody_climbs(staff: Staff) -> None:
    alone = await staff.in_verification()
    await staff.done("admin", "POST", handover(), {})
    assert await staff.look_again() == [alone]
    case = await staff.scene.case(alone)
    assert (case.level, case.cause) == (1, "no_eligible_decider")
    assert str(alone) not in await staff.queue("slrt.taraju") or case.level == 1


async def test_case_that_another_may_decide_is_left_alone(staff: Staff) -> None:
    await staff.hire("pengganti", Role.PUSKESOS_OFFICER, TARAJU)
    update_id = await staff.in_verification()
    await staff.done("admin", "POST", handover(), {})
    assert await staff.look_again() == []
    assert (await staff.scene.case(update_id)).level == 0
    assert str(update_id) in await staff.queue("pengganti")


async def test_leaves_end_with_whoever_leaves(staff: Staff) -> None:
    seat = staff.membership("puskesos.cikubang", Role.PUSKESOS_OFFICER, "32.06.13.2002")
    declared = await staff.done("puskesos.cikubang", "POST", "/v1/delegations", staff.leave(seat, LEAVER))
    done = await staff.done("admin", "POST", handover(), {"disable": False})
    assert done["leaves_ended"] == [declared["id"]]
    assert not done["disabled"]
    assert (await staff.read(LEAVER, "/v1/me"))["seats"] == []


async def test_one_act_for_each_key(staff: Staff) -> None:
    first = await staff.send("admin", "POST", handover(), {}, key="bye")
    again = await staff.send("admin", "POST", handover(), {}, key="bye")
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    kinds = [event.type for event in await staff.account_events(user(LEAVER))]
    assert kinds.count("account.handed_over") == 1


async def test_successor_who_is_not_there_is_refused_and_nothing_is_done(staff: Staff) -> None:
    for to, code in ((user("nobody"), "successor_unknown"), (user(LEAVER), "successor_is_leaver")):
        assert await staff.refused("admin", "POST", handover(), {"to": str(to)}) == (422, code)
    assert (await staff.get(LEAVER, "/v1/me")).json()["seats"]
