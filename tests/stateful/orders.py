"""Rules of the machine: the clocks of a whole area stand, outages are recorded, and a round is planned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from devstack.demo_people import TARAJU
from domain.clock_order_input import LiftInput, OutageInput, SuspensionInput
from domain.clock_orders import OrderKind, SuspensionReason, SystemPart
from domain.vocabulary import Stage
from services.clock_orders import enter_order, lift_order
from tests.rounds import dates, planned, today
from tests.stateful.machine import WHICH, Case, Cases, pick

_HOURS = timedelta(hours=5)
_DAY = timedelta(days=1)


class Orders(Cases):
    """What happens to all cases of an area at once."""

    @rule(sure=st.integers(0, 2))
    def suspend_or_lift(self, sure: int) -> None:
        """The clocks of the village stand from now on, or run again; one time in three."""
        if sure:
            return
        if self.suspended is None:
            self.ground.run(self._suspend())
        else:
            self.ground.run(self._lift())
        self._all_settle()

    @precondition(lambda self: self.suspended and self.with_clocks())
    @rule(which=WHICH)
    def time_passes_in_vain(self, which: int) -> None:
        """Some hours pass while the clocks stand, and no rung fires."""
        case = pick(self.with_clocks(), which)
        stack = self.world.stack

        async def passes() -> None:
            await stack.pass_time_until(case.id, await stack.now(case.id) + _HOURS)

        self.ground.run(passes())
        self.settles(case)

    @rule(sure=st.integers(0, 2), credit=st.booleans())
    def record_an_outage(self, sure: int, credit: bool) -> None:  # noqa: FBT001
        """The network was away for an hour, which gives a day, or for which the clocks stood; one time in three."""
        if not sure:
            self.ground.run(self._outage(credit_days=1 if credit else None))
            self._all_settle()

    @precondition(lambda self: not self.planned)
    @rule(sure=st.integers(0, 3))
    def plan_a_round(self, sure: int) -> None:
        """A round is planned that is open; one time in four. What is decided past its cut-off is delivered as well."""
        if not sure:
            self.planned = True
            self.ground.run(self._plan())
            self._all_settle()

    def with_clocks(self) -> list[Case]:
        """The cases with a clock that can stand."""
        return [case for case in self.known if case.model.stage not in {None, Stage.IDENTITY_CHECK}]

    def _all_settle(self) -> None:
        for case in self.known:
            self.settles(case)

    async def _suspend(self) -> None:
        now = datetime.now(UTC)
        terms = {"area_code": TARAJU, "number": "360/1/2026", "from": now, "reason": SuspensionReason.LANDSLIDE}
        order = SuspensionInput.model_validate(terms)
        made, _ = await enter_order(self.world.kawal, await self.world.call("kabid", next(self.keys)), order)
        self.suspended = made.id
        await self.world.carry_orders()

    async def _lift(self) -> None:
        """At a moment that lies behind no case: the time of each is its own."""
        times = [await self.world.stack.now(case.id) for case in self.known if case.model.stage is not None]
        until = max([datetime.now(UTC), *times])
        call = await self.world.call("kabid", next(self.keys))
        if self.suspended is not None:
            await lift_order(self.world.kawal, call, self.suspended, OrderKind.SUSPENSION, LiftInput(until=until))
        self.suspended = None
        await self.world.carry_orders()

    async def _outage(self, *, credit_days: int | None) -> None:
        now = datetime.now(UTC)
        terms = {"area_code": TARAJU, "number": "555/1/2026", "from": now - timedelta(hours=1), "until": now}
        order = OutageInput.model_validate({**terms, "part": SystemPart.NETWORK, "credit_days": credit_days})
        await enter_order(self.world.kawal, await self.world.call("kabid", next(self.keys)), order)
        await self.world.carry_orders()

    async def _plan(self) -> None:
        now = datetime.now(UTC)
        opens = today(now) - _DAY
        await planned(self.world.stack.scene, dates(opens, opens + 20 * _DAY), at=now)
        await self.world.carry_orders()
