"""The inbox of a case: what reached the workflow, in the order in which it did, each answered by the main loop."""

from __future__ import annotations

from dataclasses import dataclass, field

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.contracts import Act, ActResult, DeadlineMoved, MinistryAnswered


@dataclass(slots=True)
class Entry:
    """One message, and in the end its result or its refusal. Signals are told neither."""

    message: Act | MinistryAnswered | DeadlineMoved
    result: ActResult | None = None
    refusal: ApplicationError | None = None

    @property
    def answered(self) -> bool:
        """Whether the main loop has dealt with it."""
        return self.result is not None or self.refusal is not None


@dataclass(slots=True)
class Inbox:
    """Handlers put entries in and wait; the main loop takes them out one by one, so that order and winner are plain."""

    waiting: list[Entry] = field(default_factory=list[Entry])

    def __bool__(self) -> bool:
        return bool(self.waiting)

    def __len__(self) -> int:
        return len(self.waiting)

    def put(self, message: MinistryAnswered | DeadlineMoved) -> None:
        """Leave a message that needs no answer."""
        self.waiting.append(Entry(message))

    async def ask(self, act: Act) -> ActResult:
        """Leave an act and wait until it is done. Raises the refusal, of the type that its code names."""
        entry = Entry(act)
        self.waiting.append(entry)
        await workflow.wait_condition(lambda: entry.answered)
        if entry.refusal is not None:
            raise entry.refusal
        if entry.result is None:
            raise RuntimeError("an answered act has a result or a refusal")
        return entry.result

    def take(self) -> Entry:
        """The entry that has waited longest."""
        return self.waiting.pop(0)
