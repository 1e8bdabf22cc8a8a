"""`kawal demo`: the data of a demonstration, and the demonstration."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import JsonValue, ValidationError

from api.security.passwords import PasswordHasher
from commands.board import Board
from commands.operation import migrator_url, run
from commands.terminal import AsJson, CommandFailed, note, progress, say, show_json, show_table
from db.vault import Vault
from devstack.demo.api import DemoError
from devstack.demo.play import Ending, play_all
from devstack.demo.programme import PROGRAMME
from devstack.demo_people import PASSWORD, REGENCY, VILLAGES
from devstack.partners.settings import load_partner_settings
from devstack.registry_persons import store_new_persons
from devstack.seed import HOUSEHOLDS_PER_VILLAGE, World, seed
from domain.policy import demo_policy
from runtime.settings import Settings, get_settings

MOST_HOUSEHOLDS = 2_000
"""Of a village: beyond it the numbers of a day run out, and no village of the regency has more poor families."""

app = typer.Typer(add_completion=False)


@app.callback(invoke_without_command=True)
def demo(context: typer.Context) -> None:
    """Invented data and a demonstration with them, never on a machine with real people's data. Alone it is `run`."""
    if context.invoked_subcommand is None:
        run_demo()


@app.command("run")
def run_demo(*, json: AsJson = False) -> None:
    """Drive fifteen cases through the running Kawal at once, and print what happened to each. Takes about a minute.

    Meanwhile a policy with deadlines of seconds is in force for Kabupaten Tasikmalaya, so that escalations are seen;
    then the one before it again. Exit code 1 when a case did not end as it should.
    """
    settings = _demo_settings()
    note("A policy with deadlines of seconds is in force for Kabupaten Tasikmalaya while this runs.")
    with Board(PROGRAMME) as board:
        endings = run(_play(settings, board))
    note("The policy that was in force before is in force again.")
    if json:
        show_json([_as_json(ending) for ending in endings])
    else:
        show_table(
            ("case", "kind", "what happened", "escalations", "status", "tracking code", "seconds"),
            [_row(ending) for ending in endings],
        )
        note(f"What a citizen sees of one: curl {settings.public_url}/public/track/{endings[0].tracking_code}")
    failed = sum(ending.fault is not None for ending in endings)
    note(f"{failed} of {len(endings)} did not end as they should." if failed else "Every case ended as it should.")
    raise typer.Exit(1 if failed else 0)


@app.command("policy")
def show_policy() -> None:
    """Print a policy with deadlines of seconds for Kabupaten Tasikmalaya, as `kawal policies draft` takes it."""
    show_json(demo_policy(area_code=REGENCY).model_dump(mode="json"))


@app.command("seed")
def seed_data(
    *,
    households_per_village: Annotated[
        int,
        typer.Option(
            min=1,
            max=MOST_HOUSEHOLDS,
            help="Invented households in each of the nine villages of Kecamatan Taraju.",
        ),
    ] = HOUSEHOLDS_PER_VILLAGE,
) -> None:
    """Make the demo accounts and offices, invent households, and tell the civil registry partner of the people.

    Safe to repeat: what is there stays as it has become. All accounts have the password that is printed.
    """
    settings = _demo_settings()
    world = run(_seed(settings, households_per_village))
    file = settings.data_dir / "partners" / "civil_registry.sqlite"
    new_persons = store_new_persons(file, world.persons)
    say(
        f"{world.new_accounts} accounts, {world.new_households} households and {new_persons} registered persons made. "
        f"Password of all demo accounts: {PASSWORD}",
    )


async def _seed(settings: Settings, households_per_village: int) -> World:
    hasher = PasswordHasher()
    with progress("Inventing households", total=households_per_village * len(VILLAGES)) as advance:
        try:
            return await seed(
                migrator_url(),
                vault=Vault(settings.field_keys, settings.index_keys),
                password_hash=await hasher.hash_password(PASSWORD),
                today=datetime.now(UTC).date(),
                households_per_village=households_per_village,
                progress=advance,
            )
        finally:
            hasher.close()


async def _play(settings: Settings, board: Board) -> list[Ending]:
    try:
        return await play_all(
            PROGRAMME,
            api_url=settings.public_url,
            partners=load_partner_settings(),
            watch=board.show,
        )
    except DemoError as fault:
        raise CommandFailed(f"{fault} Is everything up? `kawal status` shows it.") from fault
    except ValidationError as fault:
        raise CommandFailed("The settings of the partners are not there: `kawal up` writes them.") from fault


def _row(ending: Ending) -> tuple[object, ...]:
    happened = ending.story if ending.fault is None else f"{ending.story} [{ending.fault}]".strip()
    return (
        ending.scenario.title,
        ending.scenario.kind.value,
        happened,
        ending.escalations,
        ending.status,
        ending.tracking_code,
        f"{ending.seconds:.1f}",
    )


def _as_json(ending: Ending) -> dict[str, JsonValue]:
    return {
        "case": ending.scenario.title,
        "kind": ending.scenario.kind.value,
        "story": ending.story,
        "escalations": ending.escalations,
        "status": ending.status,
        "tracking_code": ending.tracking_code,
        "seconds": round(ending.seconds, 1),
        "fault": ending.fault,
    }


def _demo_settings() -> Settings:
    """Raises CommandFailed where the settings do not say that this is a demo: everybody knows the password."""
    settings = get_settings()
    if not settings.demo:
        raise CommandFailed("KAWAL_DEMO is not set: demo accounts have a password that everybody knows.")
    return settings
