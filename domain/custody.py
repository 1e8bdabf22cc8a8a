"""Who held a case from when to when: spans without a gap, whose lengths add up to the age of the case exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Generic, TypeVar

from domain.pauses import ClockInterval, PauseCause

H = TypeVar("H")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding(Generic[H]):
    """That `holder` had the case from `begins` until `ends` (None: still has it), and when its clock stood."""

    holder: H
    begins: datetime
    ends: datetime | None
    pauses: tuple[ClockInterval, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span(Generic[H]):
    """A stretch of the life of a case: whose it was, and why the clock stood if it did."""

    holder: H
    begins: datetime
    ends: datetime
    paused: PauseCause | None

    @property
    def length(self) -> timedelta:
        """How long it was."""
        return self.ends - self.begins


def custody(
    holdings: Iterable[Holding[H]],
    *,
    begins: datetime,
    ends: datetime,
    otherwise: H,
) -> tuple[Span[H], ...]:
    """The life of a case from `begins` to `ends`, cut where its holder or its clock changed.

    Each span begins where the one before it ended, so the lengths add up to `ends - begins`. What no holding covers
    is `otherwise`'s. Where two holdings overlap, as after a clock was set back, the later one begins when the earlier
    has ended. Nothing comes of a life without length.
    """
    spans: list[Span[H]] = []
    reached = begins
    for holding in sorted(holdings, key=lambda holding: holding.begins):
        start = min(max(holding.begins, reached), ends)
        end = min(holding.ends or ends, ends)
        spans += _span(otherwise, reached, start)
        spans += _cut(holding, start, end)
        reached = max(start, end)
    return (*spans, *_span(otherwise, reached, ends))


def _span(holder: H, begins: datetime, ends: datetime) -> Iterator[Span[H]]:
    if begins < ends:
        yield Span(holder=holder, begins=begins, ends=ends, paused=None)


def _cut(holding: Holding[H], begins: datetime, ends: datetime) -> Iterator[Span[H]]:
    """The stretch of a holding, cut at every moment in it at which its clock stopped or went on."""
    if begins >= ends:
        return
    edges = {moment for pause in holding.pauses for moment in (pause.from_, pause.to) if moment is not None}
    inside = sorted(moment for moment in edges if begins < moment < ends)
    for start, end in pairwise((begins, *inside, ends)):
        yield Span(holder=holding.holder, begins=start, ends=end, paused=_standing_at(holding.pauses, start))


def _standing_at(pauses: Sequence[ClockInterval], moment: datetime) -> PauseCause | None:
    return next((pause.cause for pause in pauses if pause.stands_at(moment)), None)
