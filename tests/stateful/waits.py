"""Rules of the machine: waiting for papers and for other offices, lapses, and lapsed cases that come back."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import Row

from domain.document_waits import DocumentWaitEndInput, DocumentWaitInput
from domain.errors import DomainError
from domain.evidence import EvidenceRef, EvidenceType
from domain.information import AnswerInput, InformationInput, RequestWithdrawalInput
from domain.lapses import ReopeningInput
from domain.vocabulary import DocumentWaitReason, PeerOffice, ReopenReason, Stage, Status
from services import information
from services.document_waits import await_document, end_document_wait
from services.keyed import Call
from services.reopening import reopen
from tests.scene import user
from tests.stateful.machine import WHICH, Case, Cases, pick
from tests.stateful.tables import ASKING, OPERATOR, PEOPLE, SLRT
from tests.workflows.stack import until

_PAPER = DocumentWaitInput(
    document=EvidenceType.KK, office=PeerOffice.CIVIL_REGISTRY_OFFICE, reason=DocumentWaitReason.BEING_ISSUED
)
_QUESTION = InformationInput(office=PeerOffice.SCHOOL, question="Apakah anak ini masih bersekolah?")
_ANSWER = AnswerInput(text="Masih.", letter=EvidenceRef(type=EvidenceType.HEALTH_LETTER, reference="421/17/2026"))
_BACK = ReopeningInput(reason=ReopenReason.NOT_REACHED, text="Keluarga baru mendengar hari ini.")


class Waits(Cases):
    """What a case waits for that nobody of its offices can do, and what becomes of one that nobody mends."""

    @precondition(lambda self: self.repaired())
    @rule(which=WHICH)
    def wait_for_a_paper(self, which: int) -> None:
        """The operator waits for a paper, or waits for it no longer."""
        case = pick(self.repaired(), which)
        model = case.model
        if model.status is Status.WAITING_DOCUMENT:
            assert self._refusal(self._end_wait(case)) == "ok"
            model.waits_no_longer()
        else:
            assert self._refusal(self._wait(case)) == ("not_possible_now" if model.waited_out else "ok")
            if not model.waited_out:
                model.waits()
        self.settles(case)

    @precondition(lambda self: self.waiting())
    @rule(which=WHICH)
    def paper_does_not_come(self, which: int) -> None:
        """All of the time passes in which a paper could have come."""
        case = pick(self.waiting(), which)
        self.ground.run(self.world.stack.next_milestone(case.id))
        case.model.waits_no_longer(ran_out=True)
        self.settles(case)

    @precondition(lambda self: self.asking())
    @rule(which=WHICH)
    def ask(self, which: int) -> None:
        """Whoever decides asks a school first; one question at a time."""
        case = pick(self.asking(), which)
        wanted = "not_possible_now" if case.model.asks else "ok"
        assert self._refusal(self._ask(case)) == wanted
        case.model.asks = True
        self.settles(case)

    @precondition(lambda self: self.asked())
    @rule(which=WHICH, takes_back=st.booleans())
    def answer(self, which: int, takes_back: bool) -> None:  # noqa: FBT001
        """The answer of the school is recorded, or the question is taken back."""
        case = pick(self.asked(), which)
        assert self._refusal(self._answer(case, takes_back=takes_back)) == "ok"
        case.model.asks = False
        self.settles(case)

    @precondition(lambda self: self.asked() and self.suspended is None)
    @rule(which=WHICH)
    def office_is_silent(self, which: int) -> None:
        """The school says nothing for as long as the stage waits; no rung of the stage fires meanwhile."""
        case = pick(self.asked(), which)

        async def goes_on() -> None:
            while not (await self._open_question(case)).resumed_at:
                await self.world.stack.next_milestone(case.id)

        self.ground.run(goes_on())
        self.settles(case)
        assert self._refusal(self._answer(case, takes_back=False)) == "ok"
        case.model.asks, case.model.asked_out = False, True
        self.settles(case)

    @precondition(lambda self: self.forgotten())
    @rule(which=WHICH)
    def nobody_comes_back(self, which: int) -> None:
        """Nobody mends a case until it lapses, of which the applicant was told before."""
        case = pick(self.forgotten(), which)

        async def lapses() -> None:
            stack = self.world.stack
            while (row := await stack.scene.case(case.id)).closed_at is None:
                await stack.pass_time_until(case.id, row.next_milestone_at)
                await until(lambda: stack.scene.case(case.id), partial(_looked_at_again, row))
            notice = await stack.scene.one("SELECT * FROM lapse_notices WHERE update_id = :id", id=case.id)
            assert notice.told_at < notice.lapses_at <= notice.lapsed_at

        self.ground.run(lapses())
        case.model.lapsed()
        case.last = None
        self.settles(case)

    @precondition(lambda self: self.lapsed())
    @rule(which=WHICH, who=st.sampled_from([OPERATOR, SLRT]))
    def come_back(self, which: int, who: str) -> None:
        """A lapsed case is taken up as another, twice under one key; not a second time."""
        case, key = pick(self.lapsed(), which), next(self.keys)
        if case.model.reopened or case.model.carried_on:
            assert self._refusal(self._reopen(case, who, key)) in {"not_reopenable", "already_reopened"}
            return
        first = self.ground.run(self._reopen(case, who, key))
        assert self.ground.run(self._reopen(case, who, key)) == first
        self.settles(case)
        self.known.append(other := Case(first, case.model.taken_up(), appeals=case.appeals))
        self.settles(other)

    def repaired(self) -> list[Case]:
        """The cases that their operator has."""
        return [case for case in self.known if case.model.stage is Stage.REPAIR]

    def waiting(self) -> list[Case]:
        """The cases that wait for a paper while the clocks run."""
        waiting = [case for case in self.repaired() if case.model.status is Status.WAITING_DOCUMENT]
        return [] if self.suspended is not None else waiting

    def forgotten(self) -> list[Case]:
        """The cases that have climbed the whole ladder of their repair."""
        exhausted = [case for case in self.repaired() if case.model.exhausted]
        return [] if self.suspended else [c for c in exhausted if c.model.status is Status.RETURNED]

    def lapsed(self) -> list[Case]:
        """The cases that nobody has mended."""
        return [case for case in self.known if case.model.status is Status.LAPSED]

    def asking(self) -> list[Case]:
        """The cases whose stage may ask, and has not asked for as long as it may."""
        return [c for c in self.with_people() if c.model.stage in ASKING and not c.model.asked_out]

    def asked(self) -> list[Case]:
        """The cases with an open question."""
        return [case for case in self.with_people() if case.model.asks]

    def _refusal(self, act: Coroutine[Any, Any, object]) -> str:
        try:
            self.ground.run(act)
        except DomainError as refusal:
            return refusal.code
        return "ok"

    async def _wait(self, case: Case) -> None:
        await await_document(self.world.kawal, await self._then(case, OPERATOR), case.id, _PAPER)

    async def _end_wait(self, case: Case) -> None:
        ending = DocumentWaitEndInput()
        await end_document_wait(self.world.kawal, await self._then(case, OPERATOR), case.id, ending)

    async def _ask(self, case: Case) -> None:
        task, who = await self.world.last_task(case.id), case.model.holders[0]
        await information.ask(self.world.kawal, await self._then(case, who), task.id, _QUESTION)
        case.model.touched.add(who)

    async def _answer(self, case: Case, *, takes_back: bool) -> None:
        question, who = await self._open_question(case), case.model.holders[0]
        asker = next(name for name in PEOPLE if user(name) == question.asked_by)
        call = await self._then(case, asker if takes_back else who)
        if takes_back:
            await information.withdraw(self.world.kawal, call, question.id, RequestWithdrawalInput())
        else:
            await information.answer(self.world.kawal, call, question.id, _ANSWER)
        case.model.touched.add(who)

    async def _reopen(self, case: Case, who: str, key: str) -> UUID:
        call = await self.world.call(who, key)
        return (await reopen(self.world.kawal, call, case.id, _BACK)).receipt.update_id

    async def _open_question(self, case: Case) -> Row[Any]:
        asked = "SELECT * FROM information_requests WHERE update_id = :id AND state = 'open'"
        return await self.world.stack.scene.one(asked, id=case.id)

    async def _then(self, case: Case, who: str) -> Call:
        return await self.world.call(who, next(self.keys), at=await self.world.stack.now(case.id))


def _looked_at_again(before: Row[Any], now: Row[Any]) -> bool:
    """Whether the case has ended, or is to be looked at at another moment."""
    return now.closed_at is not None or now.next_milestone_at != before.next_milestone_at
