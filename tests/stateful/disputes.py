"""Rules of the machine: appeals against rejections, and checks in the field. Conflicts come of what officers say."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from domain.disputes import AppealInput
from domain.errors import DomainError
from domain.ground_checks import GroundCheckOrder
from domain.vocabulary import AppealGround, GroundCheckReason, Stage, Status
from services import ground_checks
from services.appeals import appeal
from tests.ground import found
from tests.stateful.machine import WHICH, Case, Cases, pick
from tests.stateful.model import CaseModel
from tests.stateful.tables import LOOKED_FOR, LOOKER, OPERATOR, SLRT
from tests.stateful.world import answer_of

_APPEAL = AppealInput(ground=AppealGround.FACTS_WRONG, text="Rumahnya bukan milik sendiri.")
_ORDER = GroundCheckOrder(reason=GroundCheckReason.FACTS_DOUBTED)


class Disputes(Cases):
    """Somebody does not accept a no, or wants it to be looked at."""

    @precondition(lambda self: self.ended())
    @rule(which=WHICH)
    def appeal_it(self, which: int) -> None:
        """The operator appeals for the household, twice under one key; only what was rejected once can be."""
        case, key = pick(self.ended(), which), next(self.keys)
        if not _appealable(case.model):
            assert self._refusal_of_appeal(case, key) in {"not_appealable", "already_appealed"}
            return
        first = self.ground.run(self._appeal(case, key))
        assert self.ground.run(self._appeal(case, key)) == first
        assert self._refusal_of_appeal(case, next(self.keys)) == "already_appealed"
        self.settles(case)
        self.known.append(other := Case(first, case.model.appealed(), appeals=case))
        self.settles(other)

    @precondition(lambda self: self.to_be_looked_at())
    @rule(which=WHICH)
    def send_somebody(self, which: int) -> None:
        """Whoever decides wants somebody to look first; once for what was sent in."""
        case = pick(self.to_be_looked_at(), which)
        model, who = case.model, case.model.holders[0]
        task = self.ground.run(self.world.last_task(case.id))

        async def order() -> str:
            call = await self.world.call(who, next(self.keys))
            return (await answer_of(ground_checks.ask(self.world.kawal, call, task.id, _ORDER))).code

        answer = self.ground.run(order())
        assert answer == ("not_possible_now" if model.stage in model.looked else "ok")
        if answer == "ok":
            model.sent_to_look(who)
            case.last = None
            self.settles(case)

    @precondition(lambda self: self.being_looked_at())
    @rule(which=WHICH, who=st.sampled_from([LOOKER, LOOKER, SLRT, OPERATOR]))
    def report(self, which: int, who: str) -> None:
        """Somebody says what they have found in the field; only who was asked, and has not touched the case."""
        case = pick(self.being_looked_at(), which)
        task = self.ground.run(self.world.last_task(case.id))

        async def tell() -> str:
            at = max(datetime.now(UTC), task.opened_at)
            seen = await found(self.world.stack.scene, at=at, by=who)
            call = await self.world.call(who, next(self.keys), at=at)
            return (await answer_of(ground_checks.report(self.world.kawal, call, task.id, seen))).code

        answer = self.ground.run(tell())
        assert answer in case.model.answers_to_report(who), (who, answer)
        if answer == "ok":
            case.model.reported(who)
            case.last = None
            self.settles(case)

    def ended(self) -> list[Case]:
        """The cases that were rejected or taken back."""
        return [case for case in self.known if case.model.status in {Status.REJECTED, Status.WITHDRAWN}]

    def to_be_looked_at(self) -> list[Case]:
        """The cases whose stage may send somebody to the field."""
        return [case for case in self.with_people() if case.model.stage in LOOKED_FOR]

    def being_looked_at(self) -> list[Case]:
        """The cases that await a report from the field."""
        return [case for case in self.known if case.model.stage is Stage.GROUND_CHECK]

    def _refusal_of_appeal(self, case: Case, key: str) -> str:
        try:
            self.ground.run(self._appeal(case, key))
        except DomainError as refusal:
            return refusal.code
        return "ok"

    async def _appeal(self, case: Case, key: str) -> UUID:
        call = await self.world.call(OPERATOR, key)
        return (await appeal(self.world.kawal, call, case.id, _APPEAL)).receipt.update_id


def _appealable(model: CaseModel) -> bool:
    return model.status is Status.REJECTED and not model.is_appeal and not model.carried_on
