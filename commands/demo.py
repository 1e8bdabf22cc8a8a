"""`kawal demo`: the data of a demonstration, and the demonstration."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from api.security.passwords import PasswordHasher
from commands.operation import migrator_url, run
from commands.terminal import CommandFailed, progress, say
from db.vault import Vault
from devstack.demo_people import PASSWORD, VILLAGES
from devstack.registry_persons import store_new_persons
from devstack.seed import HOUSEHOLDS_PER_VILLAGE, World, seed
from runtime.settings import Settings, get_settings

MOST_HOUSEHOLDS = 2_000
"""Of a village: beyond it the numbers of a day run out, and no village of the regency has more poor families."""

app = typer.Typer(
    add_completion=False,
    help="Invented data and a demonstration with them; never on a machine with real people's data.",
)


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


def _demo_settings() -> Settings:
    """Raises CommandFailed where the settings do not say that this is a demo: everybody knows the password."""
    settings = get_settings()
    if not settings.demo:
        raise CommandFailed("KAWAL_DEMO is not set: demo accounts have a password that everybody knows.")
    return settings
