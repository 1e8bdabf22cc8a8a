"""`kawal users` and `kawal memberships`: who can log in, and what they are where."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from pydantic import JsonValue

from api.security.passwords import PasswordHasher
from commands.forms import read_form
from commands.operation import owner_database, run
from commands.terminal import AsJson, CommandFailed, say, show_json, show_table
from db.repositories.trail import SYSTEM
from domain.authority import NATION
from domain.vocabulary import Role
from services.administration import accounts
from services.administration.accounts import AccountRow
from services.people import accounts as people
from services.people.accounts import NewUser
from services.people.memberships import NewMembership, grant
from services.people.offices import NewOffice, add_office

FEWEST_CHARACTERS = 12

users = typer.Typer(add_completion=False, no_args_is_help=True, help="Accounts of the local issuer.")
memberships = typer.Typer(
    add_completion=False, no_args_is_help=True, help="What an account is: a role in an office over an area."
)

_Username = Annotated[str, typer.Argument(help="What the person logs in with.")]
_FromStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from standard input, for scripts."),
]


@users.command("add")
def add_user(
    username: _Username,
    *,
    display_name: Annotated[str, typer.Option("--name", help="What others see beside a decision.")],
    area: Annotated[str, typer.Option(help="Whose administrators look after the account; * is the nation.")] = NATION,
    password_stdin: _FromStdin = False,
) -> None:
    """Make an account; the password is asked for. It can do nothing until it has a membership."""
    account = read_form(NewUser, username=username, display_name=display_name, area_code=area)
    run(_add(account, _password(from_stdin=password_stdin)))
    say(f"Account {username} made. Give it a role: `kawal memberships add {username} --role ...`.")


@users.command("list")
def list_users(*, json: AsJson = False) -> None:
    """List all accounts and what they are."""
    found = run(_list())
    if json:
        show_json([_as_json(account) for account in found])
        return
    show_table(
        ("account", "name", "role", "area", "office", "until"),
        [row for account in found for row in _rows(account)],
    )


@users.command("passwd")
def change_password(username: _Username, *, password_stdin: _FromStdin = False) -> None:
    """Replace the password of an account; the new one is asked for."""
    run(_change(username, _password(from_stdin=password_stdin)))
    say(f"The password of {username} is changed, and every session of theirs has ended.")


@users.command("unlock")
def unlock(
    username: Annotated[str | None, typer.Argument(help="The account that nobody can sign in to.")] = None,
    *,
    address: Annotated[str | None, typer.Option(help="The address from which nobody can sign in.")] = None,
) -> None:
    """Lift the pause after failed attempts, of an account or of an address."""
    if (username is None) == (address is None):
        raise CommandFailed("Name either an account or, with --address, an address.")
    forgotten = run(_unlock(username, address))
    said = "is unlocked" if forgotten else "had no failed attempts"
    say(f"{username or address} {said}.")


@users.command("signout")
def sign_out(username: _Username) -> None:
    """End every session of an account, wherever it is signed in."""
    ended = run(_sign_out(username))
    say(f"{ended} session(s) of {username} ended.")


@memberships.command("add")
def add_membership(
    username: _Username,
    *,
    role: Annotated[Role, typer.Option(help="The role.")],
    area: Annotated[str, typer.Option(help="The area it is held over: 32.06.13.2001, 32.06, or * for the nation.")],
    office: Annotated[str, typer.Option(help="The office, by its name.")],
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day on which it ends (UTC); open without it."),
    ] = None,
    new_office: Annotated[bool, typer.Option("--new-office", help="Make the office, covering the same area.")] = False,
) -> None:
    """Give an account a role in an office over an area, from now on."""
    ends = None if until is None else until.replace(tzinfo=UTC)
    run(_grant(username, role, area, office, until=ends, new_office=new_office))
    say(f"{username} is {role.value} of {office} over {area} from now on.")


async def _add(account: NewUser, password: str) -> None:
    hashed = await _hashed(password)
    async with owner_database().transaction() as connection:
        at = datetime.now(UTC)
        await people.add_user(connection, account, vault=None, by=SYSTEM, at=at, password_hash=hashed)


async def _change(username: str, password: str) -> None:
    hashed = await _hashed(password)
    async with owner_database().transaction() as connection:
        user_id = await accounts.find_account(connection, username)
        await people.replace_password(connection, user_id, password_hash=hashed, by=SYSTEM, at=datetime.now(UTC))


async def _unlock(username: str | None, address: str | None) -> bool:
    at = datetime.now(UTC)
    async with owner_database().transaction() as connection:
        if username is not None:
            return await accounts.unlock(connection, username, at=at)
        return await accounts.unlock_address(connection, address or "", at=at)


async def _sign_out(username: str) -> int:
    async with owner_database().transaction() as connection:
        return await accounts.end_sessions(connection, username, at=datetime.now(UTC))


async def _list() -> list[AccountRow]:
    async with owner_database().transaction() as connection:
        return await accounts.list_accounts(connection)


async def _grant(
    username: str,
    role: Role,
    area_code: str,
    office: str,
    *,
    until: datetime | None,
    new_office: bool,
) -> UUID:
    at = datetime.now(UTC)
    async with owner_database().transaction() as connection:
        user_id = await accounts.find_account(connection, username)
        if new_office:
            made = read_form(NewOffice, name=office, area_code=area_code)
            office_id = (await add_office(connection, made, by=SYSTEM, at=at)).id
        else:
            office_id = await accounts.find_office(connection, office)
        wanted = read_form(
            NewMembership, user_id=user_id, role=role, office_id=office_id, area_code=area_code, valid_to=until
        )
        return (await grant(connection, wanted, by=SYSTEM, at=at)).id


async def _hashed(password: str) -> str:
    hasher = PasswordHasher()
    try:
        return await hasher.hash_password(password)
    finally:
        hasher.close()


def _password(*, from_stdin: bool) -> str:
    """Asked for twice and never shown. Raises CommandFailed when it is too short."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    if len(password) < FEWEST_CHARACTERS:
        raise CommandFailed(f"A password has at least {FEWEST_CHARACTERS} characters.")
    return password


def _rows(account: AccountRow) -> list[tuple[object, ...]]:
    name = f"{account.display_name} (disabled)" if account.disabled else account.display_name
    seats = [(seat.role, seat.area_code, seat.office, seat.valid_to and seat.valid_to.date()) for seat in account.seats]
    return [(account.username, name, *seat) for seat in seats or [(None, None, None, None)]]


def _as_json(account: AccountRow) -> JsonValue:
    return {
        **account._asdict(),
        "seats": [
            {
                **seat._asdict(),
                "valid_from": seat.valid_from.isoformat(),
                "valid_to": seat.valid_to and seat.valid_to.isoformat(),
            }
            for seat in account.seats
        ],
    }
