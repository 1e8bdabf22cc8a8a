"""The plan of a village from below: proposed, agreed or disputed, determined; silence escalates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from activities.casework import Desk
from activities.rounds import RoundsAtWork
from devstack.demo_people import TARAJU
from domain.calendar import ONE_DAY
from domain.contracts import CarryRoundOn, RoundCarried, TakeBaseline
from tests.api.conftest import Office
from tests.rounds import at_work, dates, planned, today
from tests.scene import VAULT, user

OPERATOR, PUSKESOS, VERIFIER, CAMAT = "operator.taraju", "puskesos.taraju", "verifikator", "camat.taraju"


class Round:
    """A round of today whose villages have been asked for their plans."""

    def __init__(self, office: Office, round_id: UUID, opened: datetime) -> None:
        self.office, self.round_id, self.opened = office, round_id, opened
        self.musdes_on = str(today(opened) + 5 * ONE_DAY)
        self._work = RoundsAtWork(Desk(office.scene.worker, VAULT, office.scene.rules))

    async def carried_on(self, at: datetime | None = None) -> RoundCarried:
        """What the engine has done at this moment, until it would wait."""
        while True:
            command = CarryRoundOn(round_id=self.round_id)
            done: RoundCarried = await at_work(at or datetime.now(UTC)).run(self._work.carry_round_on, command)
            if done.over or done.wake_at is not None:
                return done

    def path(self, village: str = TARAJU) -> str:
        return f"/v1/rounds/{self.round_id}/villages/{village}"

    async def read(self, by: str = OPERATOR, *, village: str = TARAJU) -> dict[str, Any]:
        return (await (await self.office.desk_of(by)).get(self.path(village))).json()

    async def sign(
        self, by: str, act: str, *, village: str = TARAJU, key: str | None = None, held: Any = None, **said: Any
    ) -> Any:
        held = {} if held is None else {"If-Match": held}
        headers = {"Idempotency-Key": key or str(uuid4())} | held
        return await (await self.office.desk_of(by)).post(
            f"{self.path(village)}/signoffs", json={"act": act, **said}, headers=headers
        )

    async def signed(self, by: str, act: str, *, village: str = TARAJU, **said: Any) -> dict[str, Any]:
        answer = await self.sign(by, act, village=village, **said)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def proposed(self, *, village: str = TARAJU, by: str = OPERATOR) -> dict[str, Any]:
        return await self.signed(by, "propose", village=village, target=3, musdes_on=self.musdes_on)

    async def events(self, what: str) -> list[Any]:
        return await self.office.scene.rows(
            "SELECT area_code, data FROM audit_events WHERE type = :what ORDER BY area_code, seq", what=what
        )

    async def told(self, by: str) -> set[str]:
        items = (await (await self.office.desk_of(by)).get("/v1/notifications?limit=200")).json()["items"]
        return {each["subject"] for each in items}


@pytest.fixture
async def plan(office: Office) -> Round:
    now = datetime.now(UTC)
    day = today(now)
    round_id = await planned(office.scene, dates(day, day + 20 * ONE_DAY), at=now)
    work = RoundsAtWork(Desk(office.scene.worker, VAULT, office.scene.rules))
    await at_work(now).run(work.take_baseline, TakeBaseline(round_id=round_id, after=None))
    found = Round(office, round_id, now)
    await found.carried_on()
    return found


async def test_a_village_proposes_two_offices_agree_and_the_plan_is_determined(plan: Round) -> None:
    asked = await plan.read()
    (step,) = asked["signoffs"]
    assert (step["step"], step["open"], step["level"]) == ("proposal", True, 0)
    assert "hari kerja" in step["deadline"]["id"]
    assert "round_proposal_asked" in await plan.told(OPERATOR)
    proposed = await plan.proposed()
    assert (proposed["asked"], proposed["musdes_on"], proposed["determined_at"]) == (3, plan.musdes_on, None)
    assert "round_puskesos_asked" in await plan.told(PUSKESOS)
    await plan.signed(PUSKESOS, "agree")
    assert "round_dinas_asked" in await plan.told(VERIFIER)
    done = await plan.signed(VERIFIER, "agree", note="Sesuai")
    assert done["determined_at"] is not None
    assert [(each["step"], each["act"], each["open"]) for each in done["signoffs"]] == [
        ("proposal", "propose", False),
        ("puskesos", "agree", False),
        ("dinas", "agree", False),
    ]
    assert "round_plan_determined" in await plan.told(OPERATOR)
    assert [event.area_code for event in await plan.events("round.village_determined")] == [TARAJU]
    late = await plan.sign(VERIFIER, "agree")
    assert (late.status_code, late.json()["code"]) == (409, "not_possible_now")
    listed = (await (await plan.office.desk_of(OPERATOR)).get(f"{plan.path()}/targets?limit=200")).json()["items"]
    assert sum(each["asked"] for each in listed) == 3


async def test_an_objection_is_recorded_with_both_opinions_and_a_named_decider(plan: Round) -> None:
    await plan.proposed()
    other: dict[str, Any] = {"target": 5, "musdes_on": plan.musdes_on}
    silent = await plan.sign(PUSKESOS, "object", **other, opinion="Terlalu sedikit")
    assert silent.status_code == 422, "without a reason"
    await plan.signed(PUSKESOS, "object", **other, reason="target_too_low", opinion="Terlalu sedikit")
    assert "round_answer_asked" in await plan.told(OPERATOR)
    await plan.signed(OPERATOR, "answer", opinion="Hanya satu operator")
    assert (await plan.sign(VERIFIER, "agree")).status_code == 403, "the camat decides between the two"
    decided = await plan.signed(CAMAT, "decide", target=4, musdes_on=plan.musdes_on, opinion="Empat keluarga")
    assert (decided["target"], decided["determined_at"]) == (4, None)
    said = {
        each["step"]: (each["said"], each["signed_by"] and each["signed_by"]["name"]) for each in decided["signoffs"]
    }
    assert said["puskesos"] == ("Terlalu sedikit", "Petugas PUSKESOS Taraju")
    assert said["answer"] == ("Hanya satu operator", "Operator Desa Taraju")
    assert said["ruling"] == ("Empat keluarga", "Camat Taraju")
    done = await plan.signed(VERIFIER, "agree")
    assert (done["target"], done["determined_at"] is not None) == (4, True)


async def test_who_may_sign_what_and_what_is_refused(plan: Round) -> None:
    terms: dict[str, Any] = {"target": 3, "musdes_on": plan.musdes_on}
    assert (await plan.sign(PUSKESOS, "agree")).status_code == 403, "the village speaks first"
    assert (await plan.sign("operator.cikubang", "propose", **terms)).status_code == 404
    assert (await plan.sign("perencana", "propose", **terms)).status_code == 403
    wrong = await plan.sign(OPERATOR, "agree")
    assert (wrong.status_code, wrong.json()["data"]["step"]) == (409, "proposal")
    beyond = await plan.sign(OPERATOR, "propose", target=99, musdes_on="2031-01-01")
    assert {each["code"] for each in beyond.json()["violations"]} == {"past_the_list", "outside_window"}
    stale = await plan.sign(OPERATOR, "propose", **terms, held='"v9"')
    assert stale.status_code == 412
    first = await plan.sign(OPERATOR, "propose", **terms, key="k")
    again = await plan.sign(OPERATOR, "propose", **terms, key="k")
    assert (first.status_code, again.status_code) == (200, 200)
    assert len(again.json()["signoffs"]) == 2
    assert len(await plan.events("round.plan_signed")) == 1


async def test_nobody_signs_for_two_parties(plan: Round) -> None:
    """The operator holds the post of the PUSKESOS officer as well, as in many a small village."""
    async with plan.office.scene.as_owner() as connection:
        await connection.execute(
            text(
                "INSERT INTO memberships (id, user_id, role, office_id, area_code, valid_from) "
                "SELECT :id, :user, role, office_id, area_code, valid_from FROM memberships "
                "WHERE role = 'puskesos_officer' AND area_code = :area LIMIT 1"
            ),
            {"id": uuid4(), "user": user(OPERATOR), "area": TARAJU},
        )
    await plan.proposed()
    refused = await plan.sign(OPERATOR, "agree")
    assert (refused.status_code, refused.json()["code"]) == (403, "separation_of_duties")
    await plan.signed(PUSKESOS, "agree")


async def test_silence_escalates_along_the_ladder_each_rung_once(plan: Round) -> None:
    await plan.proposed()
    (step,) = [each for each in (await plan.read())["signoffs"] if each["open"]]
    due = datetime.fromisoformat(step["due_at"])
    await plan.carried_on(due - timedelta(minutes=1))
    assert "round_signoff_reminder" in await plan.told(PUSKESOS)
    assert (await plan.sign("slrt.taraju", "agree")).status_code == 403
    woken = await plan.carried_on(due + timedelta(minutes=1))
    assert woken.wake_at is not None
    await plan.carried_on(due + timedelta(minutes=2))
    escalated = [event for event in await plan.events("round.signoff_escalated") if event.area_code == TARAJU]
    assert [(event.data["step"], event.data["to"]) for event in escalated] == [("puskesos", "district_supervisor")]
    reminded = [event for event in await plan.events("round.signoff_reminded") if event.area_code == TARAJU]
    assert [event.data["step"] for event in reminded] == ["puskesos"]
    shown = (await plan.read())["signoffs"][-1]
    assert (shown["level"], "district_supervisor" in shown["roles"]) == (1, True)
    assert "round_signoff_escalation" in await plan.told("slrt.taraju")
    signed = await plan.signed("slrt.taraju", "agree")
    assert signed["signoffs"][-1]["step"] == "dinas"


async def test_an_answer_that_does_not_come_is_done_without(plan: Round) -> None:
    await plan.proposed()
    other: dict[str, Any] = {
        "target": 5,
        "musdes_on": plan.musdes_on,
        "reason": "target_too_low",
        "opinion": "Terlalu sedikit",
    }
    await plan.signed(PUSKESOS, "object", **other)
    due = datetime.fromisoformat((await plan.read())["signoffs"][-1]["due_at"])
    await plan.carried_on(due + timedelta(minutes=1))
    steps = [(each["step"], each["act"], each["open"]) for each in (await plan.read())["signoffs"]]
    assert steps[2:] == [("answer", None, False), ("ruling", None, True)]
    assert [event.area_code for event in await plan.events("round.answer_missed")] == [TARAJU]


async def test_the_round_is_determined_when_the_last_village_is(plan: Round) -> None:
    villages = await plan.office.scene.rows(
        "SELECT area_code FROM round_villages WHERE round_id = :id AND listed > 0", id=plan.round_id
    )
    assert len(villages) > 1
    for place, village in enumerate(sorted(row.area_code for row in villages)):
        assert not (await plan.carried_on()).over, place
        await plan.proposed(village=village, by=await _holder(plan, "village_head", village))
        await plan.signed(await _holder(plan, "puskesos_officer", village), "agree", village=village)
        await plan.signed(VERIFIER, "agree", village=village)
    assert (await plan.carried_on()).over
    assert (await plan.carried_on()).over
    assert [event.area_code for event in await plan.events("round.determined")] == ["32.06"]


async def _holder(plan: Round, role: str, village: str) -> str:
    found = await plan.office.scene.one(
        "SELECT u.username FROM users u JOIN memberships m ON m.user_id = u.id "
        "WHERE m.role = :role AND m.area_code = :village",
        role=role,
        village=village,
    )
    return found.username
