"""Failed attempts to sign in: charged before the password is looked at, given back when it was right.

Counted in PostgreSQL by name and by address, so that all processes of the API agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import tallies
from domain.lockout import Patience, Tally, account_subject, address_subject, charge, give_back
from domain.sessions import Origin


@dataclass(frozen=True, slots=True)
class Patiences:
    """The rules for names and for addresses."""

    account: Patience
    address: Patience


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that was charged: what the tallies say if it fails."""

    account: str
    address: str
    account_tally: Tally
    address_tally: Tally


async def begin_attempt(
    connection: AsyncConnection,
    username: str,
    *,
    origin: Origin,
    patiences: Patiences,
    at: datetime,
) -> Attempt:
    """Charge an attempt to the name and to the address. Raises SignInPaused while either has a pause."""
    account, address = account_subject(username), address_subject(origin.address)
    # Always the name first: two attempts that lock the same rows lock them in one order.
    of_account = charge(
        await tallies.lock_tally(connection, account, at=at),
        patience=patiences.account,
        now=at,
    )
    of_address = charge(
        await tallies.lock_tally(connection, address, at=at),
        patience=patiences.address,
        now=at,
    )
    await tallies.write_tally(connection, account, of_account)
    await tallies.write_tally(connection, address, of_address)
    await tallies.forget_old_tallies(connection, before=at - max(patiences.account.forget, patiences.address.forget))
    return Attempt(account, address, of_account, of_address)


async def forgive(connection: AsyncConnection, attempt: Attempt, *, at: datetime) -> None:
    """Forget the failures on the name, and give the address its attempt back: those on other names stay."""
    await tallies.forget_tally(connection, attempt.account)
    of_address = await tallies.lock_tally(connection, attempt.address, at=at)
    await tallies.write_tally(connection, attempt.address, give_back(of_address))
