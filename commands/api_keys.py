"""`kawal api-keys`: keys with which machines ask, for accounts that are a service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from commands.operation import owner_database, run
from commands.terminal import AsJson, note, say, show_json, show_table
from db.models import ApiKey
from db.repositories.trail import SYSTEM
from domain.authority import Permission
from services.administration.accounts import find_account
from services.people.api_keys import NewApiKey, Rotation, add_key, end_key, lock_key, renew_secret
from services.queries.people.api_keys import ApiKeyFacts, facts_of

_Result = TypeVar("_Result")

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Keys with which machines ask; the ring's are `kawal keys`."
)

_KeyId = Annotated[UUID, typer.Argument(help="The id of the key, as `kawal api-keys list` shows it.")]
_Days = Annotated[int, typer.Option(min=1, max=366, help="Days until it expires.")]


@app.command("add")
def add(
    username: Annotated[str, typer.Argument(help="The account of the machine, appointed as a service.")],
    *,
    name: Annotated[str, typer.Option(help="What the key is for.")],
    scope: Annotated[list[Permission], typer.Option(help="What it may do; may be given several times.")],
    area: Annotated[str, typer.Option(help="Where it may do it.")],
    days: _Days = 90,
    per_minute: Annotated[int | None, typer.Option(min=1, help="Requests a minute; else what all keys have.")] = None,
) -> None:
    """Make a key. Its secret is the only thing on standard output, and is not shown again."""

    async def act(connection: AsyncConnection, at: datetime) -> tuple[UUID, str]:
        wanted = NewApiKey(
            user_id=await find_account(connection, username),
            name=name,
            scopes=tuple(scope),
            area_code=area,
            expires_at=at + timedelta(days=days),
            requests_per_minute=per_minute,
        )
        return await add_key(connection, wanted, by=SYSTEM, at=at)

    key_id, secret = run(_commit(act))
    note(f"Key {key_id} of {username}, good for {days} days. Keep this secret, it is not shown again:")
    say(secret)


@app.command("list")
def list_keys(*, json: AsJson = False) -> None:
    """List all keys, what each may do where, and when it was last used."""
    found = run(_commit(_list))
    if json:
        show_json([key.model_dump(mode="json") for key in found])
        return
    show_table(
        ("key", "account", "name", "state", "area", "scopes", "expires", "last used", "from"),
        [_row(key) for key in found],
    )


@app.command("rotate")
def rotate(
    key_id: _KeyId,
    *,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=720, help="Hours for which the secrets before stay good; 0 ends them now.")
    ] = 24,
    days: Annotated[int | None, typer.Option(min=1, max=366, help="Days until the key expires from now on.")] = None,
) -> None:
    """Give a key another secret, which is the only thing on standard output."""

    async def act(connection: AsyncConnection, at: datetime) -> str:
        rotation = Rotation(
            overlap=timedelta(hours=overlap_hours), expires_at=None if days is None else at + timedelta(days=days)
        )
        return await renew_secret(connection, await lock_key(connection, key_id), rotation, by=SYSTEM, at=at)

    secret = run(_commit(act))
    note(f"The secrets of key {key_id} before this one end in {overlap_hours} hours. It is not shown again:")
    say(secret)


@app.command("revoke")
def revoke(key_id: _KeyId) -> None:
    """Revoke a key: it is refused from the next request on."""

    async def act(connection: AsyncConnection, at: datetime) -> None:
        await end_key(connection, await lock_key(connection, key_id), by=SYSTEM, at=at)

    run(_commit(act))
    say(f"Key {key_id} is revoked.")


async def _commit(act: Callable[[AsyncConnection, datetime], Awaitable[_Result]]) -> _Result:
    async with owner_database().transaction() as connection:
        return await act(connection, datetime.now(UTC))


async def _list(connection: AsyncConnection, at: datetime) -> list[ApiKeyFacts]:
    rows = (await connection.execute(select(ApiKey.__table__).order_by(ApiKey.id.desc()))).all()
    return await facts_of(connection, rows, at=at)


def _row(key: ApiKeyFacts) -> tuple[object, ...]:
    network = next((secret.last_network for secret in key.secrets if secret.last_used_at == key.last_used_at), None)
    used = key.last_used_at and f"{key.last_used_at:%Y-%m-%d %H:%M}"
    expires = f"{key.expires_at:%Y-%m-%d}"
    scopes = " ".join(key.scopes)
    return key.id, key.account.name, key.name, key.state.value, key.area_code, scopes, expires, used, network
