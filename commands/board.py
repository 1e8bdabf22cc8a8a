"""What a person sees while the demonstration runs: a line for each case, moving in a terminal, plain elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from commands.terminal import err, note
from devstack.demo.scene import Scenario


class Board:
    """Shows the latest of every scenario while it is entered."""

    def __init__(self, programme: Sequence[Scenario]) -> None:
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<28}"),
            TextColumn("{task.fields[latest]}"),
            TimeElapsedColumn(),
            console=err,
            transient=True,
            disable=not err.is_terminal,
        )
        self._lines = {
            scenario.title: self._bars.add_task(escape(scenario.title), total=None, latest="") for scenario in programme
        }

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def show(self, scenario: Scenario, what: str) -> None:
        """Something has happened to the case of a scenario."""
        if err.is_terminal:
            self._bars.update(self._lines[scenario.title], latest=escape(what))
        else:
            note(f"{scenario.title}: {what}")
