"""`kawal users bind` and `unbind`: the names that other issuers have for whoever an account belongs to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from commands.operation import owner_database, run
from commands.people import users
from commands.terminal import CommandFailed, say
from db.repositories.identities import list_of_account
from db.repositories.trail import SYSTEM
from domain.errors import NotFound
from runtime.oidc.settings import IssuerSettings
from runtime.settings import get_settings
from services.administration.accounts import find_account
from services.identities import NewIdentity, add_identity, issuer_named, remove_identity

__all__ = ["users"]

_Username = Annotated[str, typer.Argument(help="The account.")]
_Issuer = Annotated[str, typer.Option(help="The issuer, by its name in KAWAL_OIDC_ISSUERS.")]


@users.command("bind")
def bind(
    username: _Username,
    *,
    issuer: _Issuer,
    subject: Annotated[str, typer.Option(help="What the issuer calls them: the claim sub of its tokens.")],
) -> None:
    """Let the holder of an account in with the tokens of another issuer."""
    trusted = _issuer(issuer)
    try:
        wanted = NewIdentity(issuer=issuer, subject=subject)
    except ValidationError as fault:
        raise CommandFailed("A subject has at most 255 characters, without blanks.") from fault
    run(_bind(username, wanted, trusted))
    say(f"{username} is known to {issuer} as {subject}.")


@users.command("unbind")
def unbind(username: _Username, *, issuer: _Issuer) -> None:
    """Take the name away that an issuer has for the holder of an account: its tokens lead nowhere any more."""
    run(_unbind(username, _issuer(issuer)))
    say(f"{username} is not known to {issuer} any more.")


def _issuer(name: str) -> IssuerSettings:
    return issuer_named(name, {known.name: known for known in get_settings().oidc_issuers})


async def _bind(username: str, wanted: NewIdentity, issuer: IssuerSettings) -> None:
    at = datetime.now(UTC)
    async with owner_database().transaction() as connection:
        user_id = await find_account(connection, username)
        await add_identity(connection, user_id, wanted, issuer=issuer, by=SYSTEM, at=at)


async def _unbind(username: str, issuer: IssuerSettings) -> None:
    at = datetime.now(UTC)
    async with owner_database().transaction() as connection:
        user_id = await find_account(connection, username)
        identity_id = await _bound(connection, user_id, issuer)
        await remove_identity(connection, user_id, identity_id, by=SYSTEM, at=at)


async def _bound(connection: AsyncConnection, user_id: UUID, issuer: IssuerSettings) -> UUID:
    for row in await list_of_account(connection, user_id):
        if row.issuer == issuer.issuer:
            return row.id
    raise NotFound(f"This account has no name at {issuer.name}.", remedy="Nothing is left to be done.")
