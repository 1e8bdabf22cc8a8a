"""Orders over the clocks of an area, a suspension or a recorded outage, and what they do to a deadline.

An order is a line of records: each supersedes the one before it, none is changed. The last one holds, from the moment
that it names, also where that lies before the day on which it was entered. What an order does to a task follows from
the records alone, so that it is the same whoever works it out, and however often.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, Strict, model_validator

from domain.deadlines import Credit
from domain.pauses import ClockInterval, PauseCause
from domain.vocabulary import Stage


class OrderKind(StrEnum):
    """What an order is: the whole area suspended, or a part of the system that was away."""

    SUSPENSION = "suspension"
    OUTAGE = "outage"


class SuspensionReason(StrEnum):
    """Why an area is suspended, as the decree says."""

    EARTHQUAKE = "earthquake"
    FLOOD = "flood"
    LANDSLIDE = "landslide"
    ERUPTION = "eruption"
    TSUNAMI = "tsunami"
    FIRE = "fire"
    DROUGHT = "drought"
    EPIDEMIC = "epidemic"
    UNREST = "unrest"


class SystemPart(StrEnum):
    """What was away: the line or the power of the offices, Kawal itself, or a partner's service."""

    NETWORK = "network"
    POWER = "power"
    KAWAL = "kawal"
    CIVIL_REGISTRY = "civil_registry"
    MINISTRY = "ministry"


STAGES_OF_PART: Final = {
    SystemPart.CIVIL_REGISTRY: frozenset({Stage.IDENTITY_CHECK}),
    SystemPart.MINISTRY: frozenset({Stage.DELIVERY}),
}
"""The only stages that an outage of a partner holds up; any other outage holds up all."""

CAUSE_OF_KIND: Final = {
    OrderKind.SUSPENSION: PauseCause.AREA_SUSPENDED,
    OrderKind.OUTAGE: PauseCause.RECORDED_OUTAGE,
}

CreditDays = Annotated[int, Strict(), Field(ge=1, le=30)]


class ClockOrder(BaseModel):
    """An order as its last record says: over `area_code` and all below it, from `from_` until `until` (None: open).

    An outage with `credit_days` gives those working days to every task that was open in it, and stops no clock; any
    other order stops the clocks while it holds.
    """

    model_config = ConfigDict(frozen=True)

    id: UUID
    version: int
    kind: OrderKind
    area_code: str
    number: str
    from_: AwareDatetime
    until: AwareDatetime | None = None
    part: SystemPart | None = None
    credit_days: CreditDays | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.until is not None and self.until <= self.from_:
            msg = f"an order holds for some time, but this one ends at {self.until}, not after {self.from_}"
            raise ValueError(msg)
        return self

    def holds_up(self, stage: Stage) -> bool:
        """Whether the work of this stage cannot be done because of it."""
        return self.part is None or stage in STAGES_OF_PART.get(self.part, frozenset(Stage))

    def holds_at(self, moment: datetime) -> bool:
        """Whether it holds at `moment`."""
        return self.from_ <= moment and (self.until is None or moment < self.until)

    def overlaps(self, begins: datetime, ends: datetime | None) -> bool:
        """Whether it holds at some moment from `begins` until `ends` (None: without end)."""
        return (ends is None or self.from_ < ends) and (self.until is None or begins < self.until)


def pauses_of(orders: Iterable[ClockOrder], *, stage: Stage, opened_at: datetime) -> tuple[ClockInterval, ...]:
    """When the clock of a task stands by these orders, from its opening on; one interval for each that stops it."""
    return tuple(
        ClockInterval(
            from_=max(order.from_, opened_at),
            to=order.until,
            cause=CAUSE_OF_KIND[order.kind],
            note=order.number,
            order=order.id,
        )
        for order in orders
        if order.credit_days is None and order.holds_up(stage) and order.overlaps(opened_at, None)
    )


def credits_of(orders: Sequence[ClockOrder], *, stage: Stage, opened_at: datetime, now: datetime) -> tuple[Credit, ...]:
    """The working days that outages give a task that was open while they lasted.

    Of outages that overlap only the one that gives most counts. Of one that a suspension covers in part, so much of
    its days counts as it lasted beside the suspension, begun days in full: no moment is made up for twice.
    """
    concerned = [order for order in orders if order.holds_up(stage) and order.overlaps(opened_at, None)]
    suspended = [order for order in concerned if order.kind is OrderKind.SUSPENSION]
    generous = sorted(
        (order for order in concerned if order.credit_days is not None and order.from_ <= now),
        key=lambda order: (-(order.credit_days or 0), order.from_, order.id),
    )
    given: list[tuple[ClockOrder, int]] = []
    for order in generous:
        days = _days_beside(order, suspended)
        if days and not any(order.overlaps(other.from_, other.until) for other, _ in given):
            given.append((order, days))
    return tuple(
        Credit(working_days=days, cause="recorded_outage", note=order.number, order=order.id)
        for order, days in sorted(given, key=lambda each: (each[0].from_, each[0].id))
    )


def _days_beside(outage: ClockOrder, suspended: Iterable[ClockOrder]) -> int:
    """The days of credit for that part of an outage in which no suspension held."""
    if outage.until is None or outage.credit_days is None:
        return 0
    beside, reached = timedelta(), outage.from_
    for other in sorted(suspended, key=lambda each: each.from_):
        beside += max(min(other.from_, outage.until) - reached, timedelta())
        reached = max(reached, outage.until if other.until is None else min(other.until, outage.until))
    beside += outage.until - reached
    return ceil(outage.credit_days * (beside / (outage.until - outage.from_)))
