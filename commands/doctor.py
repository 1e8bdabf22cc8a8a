"""`kawal doctor`: whether everything that Kawal stands on is there and safe."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.markup import escape

from commands.diagnosis import Finding, Health, examine
from commands.operation import run
from commands.terminal import AsJson, out, say, show_json
from runtime.settings import SettingsError, get_settings

app = typer.Typer(add_completion=False)

_MARK = {Health.WELL: "[green]ok[/]  ", Health.WEAK: "[yellow]warn[/]", Health.ILL: "[red]FAIL[/]"}


@app.command()
def doctor(*, json: AsJson = False) -> None:
    """Look at settings, database, roles, rules, engine, partners, clock and disk. Exit code 1 when something is ill."""
    try:
        findings = run(examine(get_settings()))
    except SettingsError as error:
        findings = [Finding("settings", Health.ILL, str(error))]
    if json:
        show_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            out.print(f"{_MARK[finding.health]}  {escape(f'{finding.subject:<16}{finding.detail}')}")
        ill = sum(finding.health is Health.ILL for finding in findings)
        say(f"{ill} of {len(findings)} need you." if ill else "All is well.")
    raise typer.Exit(1 if any(finding.health is Health.ILL for finding in findings) else 0)
