"""Targets of a round: households to be verified again, and why each of them is one."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, Strict

from domain.durations import INTEGRAL
from domain.provenance import Bilingual
from domain.text import Note


class TargetReason(StrEnum):
    """Why a household is to be verified again."""

    NEVER_VERIFIED = "never_verified"
    OLD = "old"
    MISMATCHED = "mismatched"
    UNCHECKED = "unchecked"
    DUPLICATE = "duplicate"
    INCOMPLETE = "incomplete"


REASON_WORDS: Final = {
    TargetReason.NEVER_VERIFIED: Bilingual(id="Belum pernah diverifikasi", en="Never verified"),
    TargetReason.OLD: Bilingual(id="Data sudah lama", en="Its data are old"),
    TargetReason.MISMATCHED: Bilingual(id="Tidak padan dengan Dukcapil", en="Does not match the civil registry"),
    TargetReason.UNCHECKED: Bilingual(id="Belum dipadankan dengan Dukcapil", en="Never checked with the registry"),
    TargetReason.DUPLICATE: Bilingual(id="NIK ada di keluarga lain", en="A NIK is in use in another household"),
    TargetReason.INCOMPLETE: Bilingual(id="Data belum lengkap", en="Much of what is asked is missing"),
}
"""Every reason in words."""


class MoveReason(StrEnum):
    """Why a household was moved in the ranked list by hand. "Other" is not a code."""

    REPORTED_CHANGE = "reported_change"
    REPORTED_HARDSHIP = "reported_hardship"
    ONE_VISIT = "one_visit"
    UNREACHABLE_NOW = "unreachable_now"
    VERIFIED_ELSEWHERE = "verified_elsewhere"
    HAMLET_LEFT_OUT = "hamlet_left_out"


class ListMove(BaseModel):
    """A household put at another place of its village's list, 1 being the first, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    household_id: UUID
    to: Annotated[int, Strict(), Field(ge=1, le=100_000, description="The place it is put at"), INTEGRAL]
    reason: MoveReason
    note: Note | None = None
