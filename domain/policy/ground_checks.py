"""When somebody looks in the field before a stage decides, who does, and by when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, TypeAlias

from pydantic import Field, PositiveInt

from domain.durations import Duration
from domain.policy.stages import ListOf, Rung, SetOf, StageRule
from domain.provenance import Provenance
from domain.text import ShortText
from domain.vocabulary import Kind, ReasonCode, Role, Stage

MILLION: Final = 1_000_000
BY_HAND: Final = "by_hand"
"""What a check is recorded as that an officer has asked for."""


class _Trigger(Provenance):
    """Asks for a ground check before the stage `gates`."""

    gates: Stage


class KindTrigger(_Trigger):
    """Every update of these kinds is looked at."""

    kinds: SetOf[Kind]

    @property
    def key(self) -> str:
        """What it is recorded as."""
        return "kind"


class ValueTrigger(_Trigger):
    """What is proposed for a circumstance that is a number: from `at_least` on, or up to `at_most`."""

    field: ShortText = Field(examples=["cars"])
    at_least: Annotated[int, Field(ge=0)] | None = None
    at_most: Annotated[int, Field(ge=0)] | None = None

    @property
    def key(self) -> str:
        """What it is recorded as."""
        return f"value:{self.field}"

    def met_by(self, proposed: int | None) -> bool:
        """Whether the proposed value is one that is looked at; nothing proposed is none."""
        if proposed is None:
            return False
        high_enough = self.at_least is None or proposed >= self.at_least
        return high_enough and (self.at_most is None or proposed <= self.at_most)


class DrawTrigger(_Trigger):
    """A random share of all updates. The draw is a keyed hash: the same whoever draws, and checked by anybody."""

    share: Annotated[float, Field(gt=0, le=1)]

    @property
    def key(self) -> str:
        """What it is recorded as."""
        return "random"

    @property
    def millionths(self) -> int:
        """The share in millionths: a draw below it is drawn."""
        return round(self.share * MILLION)


class ReturnTrigger(_Trigger):
    """An update that one of these stages has returned for one of these reasons, `times` times at least."""

    returned_by: SetOf[Stage]
    reasons: SetOf[ReasonCode]
    times: PositiveInt = 1

    @property
    def key(self) -> str:
        """What it is recorded as."""
        return "after_return"


Trigger: TypeAlias = KindTrigger | ValueTrigger | DrawTrigger | ReturnTrigger


class GroundChecksRule(Provenance):
    """Who looks in the field (`deciders`), by when, and what asks for it.

    Whoever looks has had no part in the case. `on_request` are the stages whose officers may ask for a check
    themselves. A report of somebody who was found carries `photos` at least; one from farther than `far_m` metres from
    the village's reference point is shown with a warning.
    """

    deciders: ListOf[Role]
    deadline: Duration
    ladder: ListOf[Rung]
    by_kind: ListOf[KindTrigger] = ()
    by_value: ListOf[ValueTrigger] = ()
    at_random: ListOf[DrawTrigger] = ()
    after_return: ListOf[ReturnTrigger] = ()
    on_request: SetOf[Stage] = frozenset()
    photos: Annotated[int, Field(ge=1, le=10)] = 1
    far_m: Annotated[int, Field(ge=100, le=500_000)]

    def triggers(self) -> Iterator[tuple[str, Trigger]]:
        """Every trigger, with its place below the rule."""
        for name in ("by_kind", "by_value", "at_random", "after_return"):
            for index, trigger in enumerate(getattr(self, name)):
                yield f"{name}/{index}", trigger

    def of_gate(self, stage: Stage) -> tuple[Trigger, ...]:
        """The triggers that may ask for a check before a stage."""
        return tuple(trigger for _, trigger in self.triggers() if trigger.gates is stage)

    @property
    def gated(self) -> frozenset[Stage]:
        """The stages before which a check may come."""
        return frozenset(trigger.gates for _, trigger in self.triggers()) | self.on_request


def ground_stage(rule: GroundChecksRule | None) -> StageRule:
    """The rule of the stage in which somebody looks: it ends by a report and by no decision. Raises LookupError."""
    if rule is None:
        raise LookupError("the policy knows no ground checks")
    return StageRule(
        stage=Stage.GROUND_CHECK,
        deciders=rule.deciders,
        deadline=rule.deadline,
        ladder=rule.ladder,
        source=rule.source,
        strength=rule.strength,
    )
