"""What somebody enters of an order over the clocks of an area: a suspension, an outage, a correction, its end."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.areas import AreaOrNation
from domain.clock_orders import CreditDays, SuspensionReason, SystemPart
from domain.moments import Moment
from domain.text import Note, ShortText


class _Entered(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_by_name=True)

    number: ShortText = Field(description="The number of the decree, or of the record of the outage")
    from_: Moment = Field(alias="from", description="From when it holds; may lie before the day on which it is entered")
    scan: UUID | None = Field(default=None, description="Id of an uploaded file: the signed decree")
    note: Note | None = Field(default=None, description="For officers; not shown to the public")


class SuspensionTerms(_Entered):
    """What a suspension says: since when, until when (open where left out), and why."""

    until: Moment | None = None
    reason: SuspensionReason


class OutageTerms(_Entered):
    """What the record of an outage says: which part was away from when until when.

    With `credit_days` every task that was open in it gets so many working days; without, its clock stood.
    """

    until: Moment
    part: SystemPart
    credit_days: CreditDays | None = None


class SuspensionInput(SuspensionTerms):
    """A suspension of an area and all below it."""

    area_code: AreaOrNation


class OutageInput(OutageTerms):
    """An outage in an area and all below it."""

    area_code: AreaOrNation


class LiftInput(BaseModel):
    """Until when an order holds after all: now, where no moment is named. One that ends before it begins is void."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    until: Moment | None = None
    note: Note | None = None
