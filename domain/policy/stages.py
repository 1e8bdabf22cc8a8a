"""What a stage is, as a policy writes it: who decides, what they may answer, by when, and who hears of silence."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Literal, TypeVar

from pydantic import Field, PlainSerializer, PositiveInt

from domain.durations import After, Duration
from domain.pauses import PauseCause
from domain.provenance import Datum, Provenance
from domain.text import ShortText
from domain.vocabulary import Outcome, Role, Stage

_Word = TypeVar("_Word", bound=StrEnum)
_Item = TypeVar("_Item")


def _in_order(words: Iterable[StrEnum]) -> list[str]:
    return sorted(word.value for word in words)


LONGEST_LIST = 50
"""No list of a policy needs more entries; the rules compare entries with each other and rely on few of them."""

SetOf = Annotated[
    frozenset[_Word],
    Field(max_length=LONGEST_LIST),
    PlainSerializer(_in_order, when_used="json"),
]
"""A set that JSON writes sorted, so that the same policy always has the same text and the same hash."""

ListOf = Annotated[tuple[_Item, ...], Field(max_length=LONGEST_LIST)]
"""A list whose order means something."""


class RungAction(StrEnum):
    """REMIND tells the holder; ESCALATE gives somebody else authority over the task beside the holder."""

    REMIND = "remind"
    ESCALATE = "escalate"


class Power(StrEnum):
    """What a rung lets its recipient do: MANAGE is reassign, extend, order; DECIDE is answer as the holder would."""

    MANAGE = "manage"
    DECIDE = "decide"


class Rung(Datum):
    """One step of a ladder, `after` a share of the deadline or a time past it; `notify` only reads along."""

    after: After
    action: RungAction
    to: Role | Literal["holder"]
    grants: SetOf[Power] = frozenset()
    notify: ListOf[Role] = ()
    source: ShortText


class AtLeast(Datum):
    """A quorum of so many people, whichever of the deciding roles they hold."""

    at_least: PositiveInt


Quorum = Literal["any", "all"] | AtLeast
"""Whose forward settles a stage: anybody's, one of each deciding role, or that of so many people."""


class StageRule(Provenance):
    """One stage: who decides, what they may answer, by when, and who hears of silence.

    `deciders` is empty for the stages of the system. For REPAIR it names who mends, and `outcomes` is empty: a
    repair is sent back in, not decided. `needs_minutes` asks for the minutes of a deliberation or an SPTJM.
    `pauses` are the causes for which this clock stands. Past the last rung a stage holds, or counts as forwarded
    (`deemed_forward`) when the first digest would be due; then the decision says that silence took it.
    """

    stage: Stage
    deciders: ListOf[Role] = ()
    outcomes: SetOf[Outcome] = frozenset()
    deadline: Duration
    ladder: ListOf[Rung]
    needs_minutes: bool = False
    quorum: Quorum = "any"
    on_exhausted: Literal["hold", "deemed_forward"] = "hold"
    pauses: SetOf[PauseCause] = frozenset(PauseCause)

    @property
    def lapses(self) -> bool:
        """Whether the case goes on when the deadline passes: who was silent has not been heard."""
        return self.stage is Stage.OPINION
