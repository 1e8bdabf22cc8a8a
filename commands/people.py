"""`kawal users disable|enable|handover`, `kawal memberships end` and `kawal delegations`: who leaves, who is away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncConnection

from commands.accounts import memberships, users
from commands.operation import owner_database, run
from commands.terminal import AsJson, say, show_json, show_table
from db.repositories.trail import SYSTEM
from domain.people import LeaveReason
from domain.vocabulary import Role
from services.administration import accounts
from services.administration.accounts import find_account, find_membership
from services.people.accounts import set_disabled
from services.people.delegations import NewDelegation, add_delegation, end_delegation
from services.people.handover import HandoverInput, leave
from services.people.memberships import end, lock_membership

__all__ = ["delegations", "memberships", "users"]

_Result = TypeVar("_Result")

delegations = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Leaves: who is away, and who decides in their place."
)

_Username = Annotated[str, typer.Argument(help="What the person logs in with.")]
_RoleHeld = Annotated[Role, typer.Option(help="The role.")]
_AreaHeld = Annotated[str, typer.Option(help="The area over which it is held.")]


@users.command("disable")
def disable(username: _Username) -> None:
    """Disable an account: its sessions end, and cases that nobody else may decide climb."""
    run(_commit(lambda connection, at: _set_disabled(connection, username, disabled=True, at=at)))
    say(f"{username} is disabled.")


@users.command("enable")
def enable(username: _Username) -> None:
    """Let a disabled account in again."""
    run(_commit(lambda connection, at: _set_disabled(connection, username, disabled=False, at=at)))
    say(f"{username} may log in again.")


@users.command("handover")
def hand_over(
    username: _Username,
    *,
    to: Annotated[str | None, typer.Option(help="Who takes over the tasks that they may decide.")] = None,
    keep_account: Annotated[bool, typer.Option("--keep-account", help="Do not disable the account.")] = False,
) -> None:
    """Let somebody leave: tasks handed over or free again, memberships and leaves ended, the account disabled."""

    async def act(connection: AsyncConnection, at: datetime) -> Any:
        user_id = await find_account(connection, username)
        successor = None if to is None else await find_account(connection, to)
        wanted = HandoverInput(to=successor, disable=not keep_account)
        return await leave(connection, user_id, wanted, by=SYSTEM, at=at)

    done = run(_commit(act))
    handed = sum(task.handed_to is not None for task in done.tasks)
    say(
        f"{username}: {handed} task(s) handed over, {len(done.tasks) - handed} free again, "
        f"{len(done.memberships_ended)} membership(s) and {len(done.leaves_ended)} leave(s) ended"
        f"{', account disabled' if done.disabled else ''}.",
    )


@memberships.command("end")
def end_membership(username: _Username, *, role: _RoleHeld, area: _AreaHeld) -> None:
    """End a membership now; what its holder has claimed in its area is free again."""

    async def act(connection: AsyncConnection, at: datetime) -> None:
        membership_id = await find_membership(connection, username, role=role, area_code=area, at=at)
        await end(connection, await lock_membership(connection, membership_id), by=SYSTEM, at=at)

    run(_commit(act))
    say(f"{username} is {role.value} over {area} no longer.")


@delegations.command("add")
def declare(
    username: _Username,
    *,
    role: _RoleHeld,
    area: _AreaHeld,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day on which it ends by itself (UTC).")],
    reason: Annotated[LeaveReason, typer.Option(help="Why, as a code.")],
    to: Annotated[str | None, typer.Option(help="Who decides meanwhile; nobody without it, and cases climb.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="The day on which it begins; at once without."),
    ] = None,
) -> None:
    """Declare a leave: for a period the holder of a membership decides nothing, and somebody else may."""

    async def act(connection: AsyncConnection, at: datetime) -> UUID:
        wanted = NewDelegation(
            membership_id=await find_membership(connection, username, role=role, area_code=area, at=at),
            delegate_id=None if to is None else await find_account(connection, to),
            valid_from=None if since is None else since.replace(tzinfo=UTC),
            valid_to=until.replace(tzinfo=UTC),
            reason=reason,
        )
        return (await add_delegation(connection, wanted, declared_by=None, at=at)).id

    declared = run(_commit(act))
    say(
        f"Leave {declared}: {to or 'nobody'} stands in for {username} as {role.value} over {area} until {until.date()}."
    )


@delegations.command("list")
def list_leaves(*, json: AsJson = False) -> None:
    """List the leaves that run or are to come."""
    found = run(_commit(lambda connection, at: accounts.list_leaves(connection, at=at)))
    if json:
        rows: list[JsonValue] = [
            row._asdict() | {"id": str(row.id), "since": row.since.isoformat(), "until": row.until.isoformat()}
            for row in found
        ]
        show_json(rows)
        return
    show_table(("leave", "holder", "role", "area", "stands in", "from", "until", "reason"), found)


@delegations.command("end")
def end_leave(delegation: Annotated[UUID, typer.Argument(help="The id of the leave, as `list` shows it.")]) -> None:
    """End a leave now: its holder decides again."""
    run(_commit(lambda connection, at: end_delegation(connection, delegation, ended_by=None, at=at)))
    say("The leave is over.")


async def _commit(act: Callable[[AsyncConnection, datetime], Awaitable[_Result]]) -> _Result:
    async with owner_database().transaction() as connection:
        return await act(connection, datetime.now(UTC))


async def _set_disabled(connection: AsyncConnection, username: str, *, disabled: bool, at: datetime) -> None:
    await set_disabled(connection, await find_account(connection, username), disabled=disabled, by=SYSTEM, at=at)
