"""The dispatcher: what was promised to the engine reaches it, also when the engine was down at the time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import bindparam, select, update

from activities.forgotten import remind_engine
from activities.vacancies import AuthorityChanged, wake_vacant
from db.models import OutboxMessage, Update
from db.repositories.outbox import AGAIN
from db.session import Database, Viewer
from domain.contracts import DeadlineMoved, MinistryAnswered
from domain.errors import EngineUnavailable
from runtime.engine import Engine, EngineHasNoCaseError, NewCase
from runtime.periodic import pause, repeat

_LEASE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(minutes=1)
_ROUND = timedelta(minutes=1)
_BATCH = 50
_AT_ONCE = 10
_NOT_STARTED = "not_started"
_OF_AN_OUTAGE = (EngineUnavailable.code, _NOT_STARTED)
_DUE = (
    select(OutboxMessage.id)
    .where(OutboxMessage.done_at.is_(None), OutboxMessage.available_at <= bindparam("now"))
    .order_by(OutboxMessage.available_at, OutboxMessage.id)
    .limit(_BATCH)
    .with_for_update(skip_locked=True)
)
_LEASE_DUE = (
    update(OutboxMessage)
    .where(OutboxMessage.id.in_(_DUE.scalar_subquery()))
    .values(available_at=bindparam("until"), attempts=OutboxMessage.attempts + 1, last_error=None)
    .returning(
        OutboxMessage.id,
        OutboxMessage.topic,
        OutboxMessage.subject_id,
        OutboxMessage.payload,
        OutboxMessage.attempts,
    )
)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was leased."""

    id: int
    topic: str
    subject_id: UUID
    payload: dict[str, Any]
    attempts: int


class Dispatcher:
    """Leases messages, calls the engine outside of any transaction, and notes what came of it.

    Every call is safe to repeat, so a message whose lease ran out is simply sent again, by whichever worker.
    """

    def __init__(self, database: Database, engine: Engine, *, every: timedelta = timedelta(seconds=1)) -> None:
        self._database = database
        self._engine = engine
        self._every = every
        self._outages_seen: int | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Dispatch, and once a minute look what the engine has forgotten, until `stop` is set."""
        async with asyncio.TaskGroup() as group:
            group.create_task(repeat(self._dispatch_turn, stop, name="outbox", every=self._every))
            group.create_task(self._remind(stop))

    async def _dispatch_turn(self, _at: datetime) -> bool:
        return await self._engine_there() and await self.dispatch_once() == _BATCH

    async def _remind(self, stop: asyncio.Event) -> None:
        async def turn(at: datetime) -> bool:
            await self.wake_forgotten(at)
            return False

        await pause(stop, _ROUND)  # what the outbox still holds goes first
        await repeat(turn, stop, name="reminders", every=_ROUND)

    async def wake_forgotten(self, at: datetime) -> None:
        """Queue a reminder of every case that the engine should have moved by `at` and has not."""
        async with self._database.transaction(Viewer.system("worker")) as connection:
            cases = await remind_engine(connection, at=at)
        if cases:
            _log.warning("outbox.engine_reminded", cases=cases)

    async def _engine_there(self) -> bool:
        """Whether it is worth while to send. Messages that were put back meanwhile go as soon as it is."""
        if self._engine.breaker.open:
            return False
        outages = self._engine.breaker.trips
        if outages != self._outages_seen:
            await self._end_pauses(datetime.now(UTC))
            self._outages_seen = outages
        return True

    async def _end_pauses(self, now: datetime) -> None:
        """Pauses grow with each outage, and would keep a case waiting for another minute after the engine is back.

        How fast they go then is bounded by how many are sent at once.
        """
        put_back = update(OutboxMessage).where(
            OutboxMessage.done_at.is_(None),
            OutboxMessage.available_at > now,
            OutboxMessage.last_error.in_(_OF_AN_OUTAGE),
        )
        async with self._database.transaction(Viewer.system("worker")) as connection:
            await connection.execute(put_back.values(available_at=now))

    async def dispatch_once(self) -> int:
        """Send what is due now; answers how many messages were leased."""
        leased = await self._lease(datetime.now(UTC))
        gate = asyncio.Semaphore(_AT_ONCE)

        async def send(message: Message) -> None:
            async with gate:
                try:
                    await self._send(message)
                except Exception as fault:  # noqa: BLE001 - one message does not keep the others from being sent
                    _log.error("outbox.not_sent", topic=message.topic, message=message.id, error=type(fault).__name__)

        async with asyncio.TaskGroup() as group:
            for message in leased:
                group.create_task(send(message))
        return len(leased)

    async def _lease(self, now: datetime) -> list[Message]:
        async with self._database.transaction(Viewer.system("worker")) as connection:
            leased = await connection.execute(_LEASE_DUE, {"now": now, "until": now + _LEASE})
            return [Message(*row) for row in leased]

    async def _send(self, message: Message) -> None:
        try:
            await self._deliver(message)
        except EngineUnavailable as fault:
            await self._put_back(message, fault.code)
        except EngineHasNoCaseError:
            if await self._has_ended(message.subject_id):
                await self._done(message)
            else:
                await self._put_back(message, _NOT_STARTED)
        else:
            await self._done(message)

    async def _deliver(self, message: Message) -> None:
        match message.topic:
            case "start_update":
                again = bool(message.payload.get(AGAIN))
                await self._engine.start(await self._new_case(message.subject_id), again=again)
            case "start_minutes":
                await self._engine.carry_out_minutes(message.subject_id)
            case "start_round":
                await self._engine.carry_round(message.subject_id, **_round_of(message))
            case "start_evaluation":
                await self._engine.measure(message.subject_id)
            case "signal_round_moved":
                with suppress(
                    EngineHasNoCaseError
                ):  # it has opened: what moved since are days that it does not wait for
                    await self._engine.tell_round_moved(**_round_of(message))
            case "signal_ministry_answer":
                await self._engine.tell_ministry_answered(
                    message.subject_id,
                    MinistryAnswered.model_validate(message.payload),
                )
            case "signal_deadline_moved":
                await self._engine.tell_deadline_moved(
                    message.subject_id,
                    DeadlineMoved.model_validate(message.payload),
                )
            case "authority_changed":
                changed = AuthorityChanged.model_validate(message.payload)
                await wake_vacant(self._database, changed, membership_id=message.subject_id, at=datetime.now(UTC))
            case _:
                raise ValueError(f"the outbox knows no topic {message.topic!r}")

    async def _new_case(self, update_id: UUID) -> NewCase:
        async with self._database.transaction(Viewer.system("worker")) as connection:
            wanted = select(Update.id, Update.policy_version_id, Update.area_code, Update.kind)
            row = (await connection.execute(wanted.where(Update.id == update_id))).one()
        return NewCase(
            update_id=row.id,
            policy_version_id=row.policy_version_id,
            area_code=row.area_code,
            kind=row.kind,
        )

    async def _has_ended(self, update_id: UUID) -> bool:
        async with self._database.transaction(Viewer.system("worker")) as connection:
            return await connection.scalar(select(Update.closed_at).where(Update.id == update_id)) is not None

    async def _done(self, message: Message) -> None:
        await self._note(message, done_at=datetime.now(UTC), last_error=None)

    async def _put_back(self, message: Message, error: str) -> None:
        """Try again after a pause that grows, but never long; the end of an outage ends it (see `_end_pauses`)."""
        wait = min(timedelta(seconds=2 ** min(message.attempts, 6)), _LONGEST_PAUSE)
        _log.warning("outbox.put_back", topic=message.topic, attempts=message.attempts, error=error)
        await self._note(message, available_at=datetime.now(UTC) + wait, last_error=error)

    async def _note(self, message: Message, **changes: object) -> None:
        async with self._database.transaction(Viewer.system("worker")) as connection:
            await connection.execute(update(OutboxMessage).where(OutboxMessage.id == message.id).values(**changes))


def _round_of(message: Message) -> dict[str, str]:
    """By what the engine knows the round that a message is about."""
    return {name: message.payload[name] for name in ("area_code", "period")}
