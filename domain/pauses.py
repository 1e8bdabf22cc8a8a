"""When the clock of a deadline stands, and why: while somebody else has the case, it runs against nobody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator


class PauseCause(StrEnum):
    """Why the clock stands."""

    RETURNED = "returned"
    CIVIL_REGISTRY_UNAVAILABLE = "civil_registry_unavailable"
    AREA_SUSPENDED = "area_suspended"
    WAITING_DOCUMENT = "waiting_document"
    INFORMATION_REQUESTED = "information_requested"
    RECORDED_OUTAGE = "recorded_outage"
    GROUND_CHECK = "ground_check"


class ClockInterval(BaseModel):
    """The clock stands from `from_` (in JSON `from`) until `to`; None means that it still stands.

    `order` is the order over the area that stops it, and `note` that order's number.
    """

    model_config = ConfigDict(
        frozen=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    from_: AwareDatetime = Field(validation_alias="from", serialization_alias="from")
    to: AwareDatetime | None = None
    cause: PauseCause
    note: str | None = None
    order: UUID | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> ClockInterval:
        if self.to is not None and self.to < self.from_:
            msg = f"the clock cannot start again at {self.to}, before it stopped at {self.from_}"
            raise ValueError(msg)
        return self

    def stands_at(self, moment: datetime) -> bool:
        """Whether the clock stands at `moment` because of this interval."""
        return self.from_ <= moment and (self.to is None or moment < self.to)


class Stop(NamedTuple):
    """A stretch in which the clock stood, whatever the causes."""

    begins: datetime
    ends: datetime


def merged(pauses: Iterable[ClockInterval], *, as_of: datetime | None) -> tuple[Stop, ...]:
    """The stretches in which the clock stood, in order and apart.

    A pause that still stands counts as if it ended `as_of`, or not at all where that is None or comes before it.
    Pauses that touch or overlap become one, so that no moment is given back twice.
    """
    stops: list[Stop] = []
    for pause in sorted(pauses, key=lambda pause: pause.from_):
        ends = pause.to if pause.to is not None else as_of
        if ends is None or ends <= pause.from_:
            continue
        if stops and pause.from_ <= stops[-1].ends:
            stops[-1] = Stop(stops[-1].begins, max(stops[-1].ends, ends))
        else:
            stops.append(Stop(pause.from_, ends))
    return tuple(stops)
