"""Cases moved by casework itself, without an engine, under a clock that the test sets; and readers who ask the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import insert

from activities.casework import Casework
from api.security.tokens import TokenIssuer
from db.models import IdentityResult
from devstack.demo_people import TARAJU
from domain.changes import Change, CircumstancesChange
from domain.circumstances import Address, Circumstances, Floor
from domain.contracts import (
    Act,
    ActKind,
    CheckIdentity,
    CloseIdentityCheck,
    NextStep,
    OpenCase,
    PassMilestone,
    RecordAct,
    RecordMinistryAnswer,
    RecordPush,
)
from domain.decisions import DecisionInput
from domain.evidence import EvidenceRef, EvidenceType
from domain.household import Household
from domain.requests import DecisionRequest, WithdrawalInput, WithdrawalRequest
from tests.scene import HOUSEHOLDS, MINUTES_JSON, SYSTEM, Scene, household_of, session_of, user

MINUTES = MINUTES_JSON
PHOTO = EvidenceRef(type=EvidenceType.HOUSE_PHOTO, reference="foto-17")


class Clock:
    """The time by which the API reads and casework records."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> datetime:
        self.at += timedelta(**by)
        return self.at


def better_floor(floor: Floor = Floor.CERAMIC) -> CircumstancesChange:
    return CircumstancesChange(circumstances=Circumstances(floor=floor), address=Address(landmark="Di belakang masjid"))


def known_household(village: str = TARAJU, *, place: int = 0) -> Household:
    """The first household, or a later one, whose head has a NIK and is matched with the civil registry."""
    seeded = (household_of(n, village=village) for n in range(HOUSEHOLDS))
    return [household for household in seeded if _head_has_nik(household)][place]


def _head_has_nik(household: Household) -> bool:
    return household.head is not None and household.head.nik is not None


@dataclass(slots=True)
class Casebook:
    """Makes cases and moves them; `read` and `get` ask the API as one of the demo's people."""

    scene: Scene
    casework: Casework
    clock: Clock
    client: httpx2.AsyncClient
    issuer: TokenIssuer

    async def get(self, username: str, path: str, *, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return await self.client.get(path, params=query, headers=self.signed(username) | (headers or {}))

    async def read(self, username: str, path: str, **query: Any) -> Any:
        answer = await self.get(username, path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, username: str, path: str, body: Any) -> Any:
        return await self.client.post(path, json=body, headers=self.signed(username))

    def signed(self, username: str) -> dict[str, str]:
        who = user(username)
        token = self.issuer.issue(who, now=self.clock.at, session_id=session_of(who))
        return {"Authorization": f"Bearer {token}"}

    async def submit(
        self,
        change: Change | None = None,
        *,
        household: Household | None = None,
        by: str = "operator.taraju",
        area_code: str = TARAJU,
    ) -> UUID:
        held = household or (known_household(area_code) if change is None else None)
        update_id = await self.scene.submit(
            change or better_floor(), household=held, by=by, area_code=area_code, evidence=[PHOTO]
        )
        self.clock.at = max(self.clock.at, datetime.now(UTC))
        return update_id

    async def start(self, update_id: UUID) -> NextStep:
        taken = await self.casework.open_case(OpenCase(update_id=update_id, run_id="run", at=self.clock.at))
        return taken.next

    async def check_identity(
        self,
        update_id: UUID,
        *,
        result: str = "matched",
        fields: tuple[str, ...] = (),
    ) -> NextStep:
        step = await self.start(update_id)
        assert isinstance(step, CheckIdentity)
        case = await self.scene.case(update_id)
        async with self.scene.worker.transaction(SYSTEM) as connection:
            for person in step.persons:
                await connection.execute(
                    insert(IdentityResult).values(
                        update_id=update_id,
                        task_id=step.task_id,
                        person_key=person,
                        area_code=case.area_code,
                        result=result,
                        fields=list(fields),
                        checked_at=self.clock.at,
                    ),
                )
        close = CloseIdentityCheck(update_id=update_id, task_id=step.task_id, at=self.clock.at)
        return (await self.casework.close_identity_check(close)).next

    async def in_verification(self, **submission: Any) -> UUID:
        update_id = await self.submit(**submission)
        await self.check_identity(update_id)
        return update_id

    async def decide(self, update_id: UUID, by: str, outcome: str = "forward", **more: Any) -> NextStep:
        task_id = (await self.scene.case(update_id)).task
        decision = DecisionInput.model_validate({"outcome": outcome, **more})
        act_id = await self.scene.ask(update_id, by, DecisionRequest(body=decision))
        act = Act(act_id=act_id, kind=ActKind.DECIDE, task_id=task_id)
        taken = await self.casework.record_act(RecordAct(update_id=update_id, act=act, at=self.clock.at))
        return taken.next

    async def withdraw(self, update_id: UUID, by: str = "operator.taraju") -> NextStep:
        request = WithdrawalRequest(body=WithdrawalInput(note="Atas permintaan keluarga"))
        act = Act(act_id=await self.scene.ask(update_id, by, request), kind=ActKind.WITHDRAW)
        return (await self.casework.record_act(RecordAct(update_id=update_id, act=act, at=self.clock.at))).next

    async def let_lapse(self, update_id: UUID, *, past: timedelta = timedelta(hours=1)) -> datetime:
        """The deadline of the open task passes unheeded, and the engine looks at it; when it was due."""
        case = await self.scene.case(update_id)
        self.clock.at = case.due_at + past
        await self.casework.pass_milestone(PassMilestone(update_id=update_id, task_id=case.task, at=self.clock.at))
        return case.due_at

    async def approve_everywhere(self, update_id: UUID) -> None:
        """Every human stage of the standard route says yes, a day after the other."""
        for by in ("puskesos.taraju", "kades.taraju", "verifikator", "kadis"):
            self.clock.advance(days=1)
            await self.decide(update_id, by, minutes=MINUTES if by == "kades.taraju" else None)

    async def push(self, update_id: UUID, *, receipt_no: str = "KS-1") -> None:
        task_id = (await self.scene.case(update_id)).task
        push = RecordPush(update_id=update_id, task_id=task_id, receipt_no=receipt_no, at=self.clock.at)
        await self.casework.record_push(push)

    async def ministry_says(self, update_id: UUID, answer: str, *, receipt_no: str = "KS-1", **more: Any) -> None:
        answer_id = await self.scene.ministry_answers(update_id, answer, receipt_no=receipt_no, **more)
        message = RecordMinistryAnswer(update_id=update_id, answer_id=answer_id, at=self.clock.at)
        await self.casework.record_ministry_answer(message)
