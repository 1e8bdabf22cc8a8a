"""`kawal simulate`: what policies would come to in a synthetic regency, side by side, before one is published."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from commands.terminal import AsJson, CommandFailed, note, progress, say, show_json, show_table
from devstack.areas import regency as areas_of
from devstack.areas import zone_of
from devstack.population import FAMILIES, families_per_village
from domain.calendar import WorkingCalendar
from domain.errors import InvalidInput, Violation
from domain.policy import Policy, default_policy, parse_policy
from domain.vocabulary import AreaLevel
from runtime.holiday_seed import seed_holidays
from simulation.play import Setting
from simulation.scenario import Scenario, parse_scenario
from simulation.study import Estimate, Study, study

DEFAULT: Final = "default"
"""Stands for the policy that a regency starts from."""
MOST_POLICIES: Final = 5
_VILLAGES_COUNTED: Final = 351
"""Villages of Kabupaten Tasikmalaya, whose families by desil are published."""

app = typer.Typer(add_completion=False)


@app.command()
def simulate(
    policies: Annotated[
        list[str],
        typer.Argument(metavar="POLICY...", help="Policies as JSON files; `default` is the one a regency starts from."),
    ],
    *,
    regency: Annotated[str, typer.Option(help="The regency whose villages are peopled.")] = "32.06",
    months: Annotated[int, typer.Option(min=1, max=24, help="Months that are measured.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="The luck; the same seed gives the same bytes.")] = 7,
    replications: Annotated[int, typer.Option(min=2, max=200, help="How often, each time with other luck.")] = 4,
    scenario: Annotated[Path | None, typer.Option(help="What is assumed, as JSON; see --show-scenario.")] = None,
    villages: Annotated[int | None, typer.Option(min=1, help="Only so many villages, the first by code.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, max=64, help="Processes; as many as there are cores.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the result as JSON to this file, too.")] = None,
    show_scenario: Annotated[
        bool, typer.Option("--show-scenario", help="Print what is assumed, with its sources, and run nothing.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Compare policies on a synthetic regency by the rules that real cases go by, without a database or an engine.

    Every policy meets the same cases, people, absences and outages, so that a difference is the policy's. Figures come
    with 95 % intervals; differences are from the first policy. What is assumed of people is in the scenario, and is no
    statistic of any place: compare, and do not take single figures for forecasts. See docs/simulation.md.
    """
    assumed = Scenario() if scenario is None else parse_scenario(_read(scenario))
    if show_scenario:
        show_json(assumed.model_dump(mode="json"))
        return
    compared = [(_named(name, place, policies), _policy(name)) for place, name in enumerate(policies)]
    if len(compared) > MOST_POLICIES:
        raise CommandFailed(f"At most {MOST_POLICIES} policies are compared at once.")
    setting = setting_of(regency, assumed, months=months, villages=villages)
    _require_fit(compared, setting)
    runs = len(compared) * replications
    note(f"{len(setting.villages)} villages, {sum(setting.villages.values())} families, {runs} runs.")
    with progress("Simulating", total=runs) as bar:
        found = study(setting, compared, seed=seed, replications=replications, jobs=jobs, done=bar)
    if out is not None:
        _write(out, found)
    if json:
        show_json(found.model_dump(mode="json"))
    else:
        _show(found)


def setting_of(code: str, scenario: Scenario, *, months: int, villages: int | None) -> Setting:
    """The villages of a regency with their families, and its calendar. Raises NotFound."""
    codes = sorted(area.code for area in areas_of(code) if area.level is AreaLevel.VILLAGE)[:villages]
    given = scenario.population.families
    total = sum(FAMILIES.values() if given is None else given.values())
    whole = _VILLAGES_COUNTED if given is None else len(codes)
    families = families_per_village(codes, total=total * len(codes) // whole)
    first = scenario.begins.year
    years = range(first, (scenario.begins + timedelta(days=(scenario.warm_up + months + 12) * 31)).year + 1)
    closed = seed_holidays(years)
    calendar = WorkingCalendar(
        area_code=code,
        version=1,
        zone=zone_of(code),
        closed=closed.closed,
        collective_leave_known_through=closed.collective_leave_known_through,
    )
    return Setting(families, calendar, scenario, months)


def _require_fit(compared: list[tuple[str, Policy]], setting: Setting) -> None:
    """Raise InvalidInput for a policy of another regency, or one without a route for a kind that comes."""
    faults: list[Violation] = []
    for name, policy in compared:
        if policy.area_code not in {"*", setting.calendar.area_code}:
            faults.append(
                Violation(
                    pointer="/area_code",
                    code="other_regency",
                    detail=f"{name} is for {policy.area_code}, not for {setting.calendar.area_code}.",
                    remedy=f"Give --regency {policy.area_code}, or a policy for this regency.",
                )
            )
        faults += [
            Violation(
                pointer="/arrivals/kinds",
                code="kind_not_offered",
                detail=f"{name} has no route for {kind.value}.",
                remedy="Leave the kind out of `arrivals.kinds` of the scenario, or give it a route.",
            )
            for kind in setting.scenario.arrivals.kinds
            if not policy.offers(kind)
        ]
    if faults:
        raise InvalidInput(faults)


def _policy(name: str) -> Policy:
    return default_policy() if name == DEFAULT else parse_policy(_read(Path(name)))


def _named(name: str, place: int, names: list[str]) -> str:
    """What a policy is called in the result: its file, with its place where two are called alike."""
    stem = name if name == DEFAULT else Path(name).stem
    alike = [other for other in names if (other if other == DEFAULT else Path(other).stem) == stem]
    return stem if len(alike) == 1 else f"{stem} ({place + 1})"


def _read(file: Path) -> object:
    """Raises CommandFailed for what is no JSON."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise CommandFailed(f"{file} cannot be read as JSON: {fault}") from fault


def _write(out: Path, found: Study) -> None:
    try:
        out.write_text(found.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except OSError as fault:
        raise CommandFailed(f"{out} cannot be written: {fault}") from fault


def _show(found: Study) -> None:
    first, *others = found.policies
    names = list(dict.fromkeys(name for outcome in found.policies for name in outcome.figures))
    columns = ["figure", first.policy]
    for other in others:
        columns += [other.policy, f"{other.policy} - {first.policy}"]
    rows: list[list[str]] = []
    for name in names:
        row = [name, _text(first.figures.get(name))]
        for other in others:
            differs = (other.differences or {}).get(name)
            row += [_text(other.figures.get(name)), f"{_text(differs)}{_mark(differs)}"]
        rows.append(row)
    title = f"{found.regency}, {found.measured_from} to {found.measured_until}: mean and 95 % interval"
    show_table(columns, rows, title=title)
    say("* The interval of the difference leaves 0 out. One in twenty does so by chance.")


def _text(found: Estimate | None) -> str:
    return "-" if found is None else f"{found.mean:.1f} ({found.low:.1f} to {found.high:.1f})"


def _mark(differs: Estimate | None) -> str:
    return " *" if differs is not None and (differs.low > 0 or differs.high < 0) else ""
