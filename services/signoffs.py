"""Signing the plan of a village: it proposes, the offices agree or object, an objection is decided.

Each signature is one transaction under the lock of the village: the step ends, the next one opens under its clock, and
whoever may sign that is told. The engine is told only when it would look too late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import trail
from db.repositories.outbox import SIGNAL_ROUND_MOVED, add_message
from db.repositories.rounds import read_round, stream_of_rounds
from db.repositories.signoffs import (
    lock_open_step,
    looks_before,
    open_step,
    read_clock,
    read_steps,
    save_plan,
    save_step,
    signed_of,
    tell_in_round,
)
from db.repositories.trail import Doer, Entry
from db.repositories.work_lists import lock_village, read_work
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Seat
from domain.errors import Forbidden, InvalidInput, NotPossibleNow, SeparationOfDuties
from domain.permissions import Permission
from domain.rounds import Round
from domain.signoffs import (
    ACTS_OF_STEP,
    Agree,
    AnswerObjection,
    Next,
    Object,
    Signing,
    SignoffStep,
    check_terms,
    next_step,
    other_party,
)
from domain.vocabulary import Role
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.queries.work_lists import VillageWork, read_village_work
from services.versions import require_version

_ROUTE: Final = "POST /v1/rounds/{}/villages/{}/signoffs"
_TOLD: Final = (Role.VILLAGE_OPERATOR, Role.VILLAGE_HEAD, Role.PUSKESOS_OFFICER)
"""Who works by what was determined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Act:
    """Somebody at work on the plan of a village, in a transaction in which nobody else is."""

    kawal: Kawal
    connection: AsyncConnection
    call: Call
    shown: Round
    area_code: str
    signing: Signing


async def sign_plan(kawal: Kawal, call: Call, round_id: UUID, area_code: str, signing: Signing) -> VillageWork:
    """Sign the step that the plan of the village waits for.

    Raises NotFound, Forbidden, SeparationOfDuties, StaleVersion, InvalidInput, NotPossibleNow.
    """
    call.actor.seat_for(Permission.ROUNDS_SIGN, area_code=area_code)
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        shown = await read_round(connection, round_id)
        act = _Act(kawal=kawal, connection=connection, call=call, shown=shown, area_code=area_code, signing=signing)
        route = _ROUTE.format(round_id, area_code)
        await once(connection, call, signing, lambda: _sign(act), answer=Created, route=route, vault=kawal.vault)
        return await read_village_work(connection, shown, area_code)


async def _sign(act: _Act) -> Created:
    village = await lock_village(act.connection, act.shown.id, act.area_code)
    require_version(act.call.holds, village.version)
    row = await lock_open_step(act.connection, act.shown.id, act.area_code)
    if row is None or act.shown.closed:
        raise NotPossibleNow("The plan of the village waits for no signature.")
    step, signing = SignoffStep(row.step), act.signing
    seat = await _seat(act, step, row.roles)
    if signing.act not in ACTS_OF_STEP[step]:
        expected = ", ".join(sorted(ACTS_OF_STEP[step]))
        raise NotPossibleNow(f"The plan of the village waits for: {expected}.", data={"step": step.value})
    faults = check_terms(signing, listed=village.listed, window=act.shown.dates.musdes_window)
    if faults:
        raise InvalidInput(faults)
    await _end_step(act, row, seat)
    following = next_step(step, signing.act, contested=row.contested and SignoffStep(row.contested))
    await _note(act, row, seat)
    await _go_on(act, step, following, seat)
    return Created(id=row.id)


async def _seat(act: _Act, step: SignoffStep, roles: list[str]) -> Seat:
    """The seat in which the actor may sign this step; their own before one that is lent to them."""
    actor = act.call.actor
    fitting = [
        seat
        for seat in actor.seats_over(act.area_code)
        if seat.role.value in roles and Permission.ROUNDS_SIGN in seat.permissions
    ]
    if not fitting:
        named = ", ".join(sorted(roles))
        raise Forbidden(f"This step is signed by: {named}.", data={"deciders": sorted(roles)})
    signed = signed_of(await read_steps(act.connection, act.shown.id, act.area_code))
    for seat in sorted(fitting, key=lambda each: each.lent_by is not None):
        accounts = actor.person.accounts if seat.lent_by is None else actor.person.accounts | seat.lent_by.accounts
        if other_party(step, accounts, signed) is None:
            return seat
    raise SeparationOfDuties("You have signed this plan for another party; someone else has to sign here.")


async def _end_step(act: _Act, row: Row[*tuple[Any, ...]], seat: Seat) -> None:
    signing = act.signing
    has_terms = not isinstance(signing, Agree | AnswerObjection)
    words = getattr(signing, "opinion", None) or getattr(signing, "note", None)
    await save_step(
        act.connection,
        row.id,
        ended_at=act.call.at,
        act=signing.act,
        target=signing.target if has_terms else None,
        musdes_on=signing.musdes_on if has_terms else None,
        reason=signing.reason.value if isinstance(signing, Object) else None,
        words=words,
        signed_by=act.call.actor.user_id,
        signed_role=seat.role.value,
        office_id=seat.office_id,
        on_behalf_of=seat.on_behalf_of,
    )
    changes: dict[str, Any] = {}
    if has_terms and not isinstance(signing, Object):
        changes = {"target": signing.target, "musdes_on": signing.musdes_on}
    await save_plan(act.connection, act.shown.id, act.area_code, **changes)


async def _go_on(act: _Act, step: SignoffStep, following: Next | None, seat: Seat) -> None:
    """Open the step that follows, or determine the plan."""
    if following is None:
        await save_plan(act.connection, act.shown.id, act.area_code, determined_at=act.call.at)
        entry = Entry(
            type=AuditType.ROUND_VILLAGE_DETERMINED,
            by=Doer.of(act.call.actor, seat),
            data={"round": act.shown.period, "last": step.value},
        )
        await _record(act, entry)
        await tell_in_round(
            act.connection,
            "round_plan_determined",
            round_id=act.shown.id,
            area_code=act.area_code,
            roles=_TOLD,
            at=act.call.at,
        )
        await _wake(act)
        return
    look_at = await _open(act, following)
    if not await looks_before(act.connection, act.shown.id, look_at):
        await _wake(act)


async def _open(act: _Act, following: Next) -> Any:
    version_id = (await read_work(act.connection, act.shown.id)).policy_version_id
    if version_id is None:
        raise NotPossibleNow("The round has no policy to go by.")
    policy = await act.kawal.rules.policy(act.connection, version_id)
    if policy.signoffs is None:
        raise NotPossibleNow("The policy of the round asks for no signatures.")
    clock = await read_clock(
        act.connection,
        act.kawal.rules,
        policy,
        area_code=act.area_code,
        step=following.step,
        opened_at=act.call.at,
        now=act.call.at,
    )
    return await open_step(
        act.connection,
        policy.signoffs,
        following,
        round_id=act.shown.id,
        area_code=act.area_code,
        clock=clock,
        at=act.call.at,
    )


async def _wake(act: _Act) -> None:
    """Have the engine look at the round now."""
    payload = {"area_code": act.shown.area_code, "period": act.shown.period}
    await add_message(act.connection, SIGNAL_ROUND_MOVED, subject_id=act.shown.id, payload=payload, at=act.call.at)


async def _note(act: _Act, row: Row[*tuple[Any, ...]], seat: Seat) -> None:
    said: dict[str, JsonValue] = {"round": act.shown.period, "step": row.step}
    said |= act.signing.model_dump(mode="json")
    await _record(act, Entry(type=AuditType.ROUND_PLAN_SIGNED, by=Doer.of(act.call.actor, seat), data=said))


async def _record(act: _Act, entry: Entry) -> None:
    stream = stream_of_rounds(act.area_code)
    await trail.record(act.connection, stream, [entry], at=act.call.at, area_code=act.area_code)
