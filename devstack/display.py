"""What a person sees while the stack starts: a moving line in a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class StepDisplay:
    """Announces steps one after the other; `total` is how many there will be."""

    def __init__(self, console: Console, *, total: int) -> None:
        self.console = console
        self._progress = Progress(
            SpinnerColumn(),
            MofNCompleteColumn(),
            BarColumn(bar_width=20),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=total)

    @contextmanager
    def shown(self) -> Generator[None]:
        """While the steps run."""
        with self._progress:
            yield

    @contextmanager
    def step(self, title: str) -> Generator[None]:
        """One step: named while it runs, and with its seconds when it is done."""
        started = time.monotonic()
        if self.console.is_terminal:
            self._progress.update(self._task, description=escape(title))
        else:
            self.say(f"{title} ...")
        yield
        self._progress.advance(self._task)
        self.console.print(f"  [green]done[/]  {escape(title)}  [dim]{time.monotonic() - started:.1f} s[/]")

    def say(self, text: str) -> None:
        """One plain line, whole however narrow the terminal is."""
        self.console.print(escape(text), soft_wrap=True, highlight=False)
