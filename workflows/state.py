"""What a case's workflow remembers, and by what the engine's own list finds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from domain.contracts import AwaitDecision, AwaitMinistry, AwaitRepair, CheckIdentity, Closed, Deliver, StartUpdate
from domain.vocabulary import Status
from workflows.inbox import Inbox

OpenStep: TypeAlias = CheckIdentity | AwaitDecision | AwaitRepair | Deliver | AwaitMinistry
Step: TypeAlias = OpenStep | Closed

_STAGE: Final = SearchAttributeKey.for_keyword("KawalStage")
_LEVEL: Final = SearchAttributeKey.for_int("KawalLevel")


@dataclass(slots=True)
class CaseState:
    """All that the workflow remembers: who it is, where it stands, what waits to be dealt with."""

    start: StartUpdate
    step: Step | None = None
    inbox: Inbox = field(default_factory=Inbox)


def new_marks(start: StartUpdate, before: Step | None, step: Step) -> list[SearchAttributeUpdate[Any]]:
    """What the engine's list of cases has to be told of a move from `before` to `step`; empty when nothing.

    Each change of these attributes costs the engine as much as a timer and an activity together, so a case carries
    them only while it is escalated: those are what an operator of the engine looks for, and PostgreSQL lists the rest.
    """
    if step.level or start.marks == "every_move":
        return [] if before is not None and _standing(before) == _standing(step) else _marks_of(step)
    carried = _LEVEL in workflow.info().typed_search_attributes
    return [_STAGE.value_unset(), _LEVEL.value_unset()] if carried else []


def _standing(step: Step) -> tuple[Status, int]:
    return step.status, step.level


def _marks_of(step: Step) -> list[SearchAttributeUpdate[Any]]:
    return [_STAGE.value_set(step.status.value), _LEVEL.value_set(step.level)]
