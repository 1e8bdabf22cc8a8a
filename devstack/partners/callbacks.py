"""Delivers the Ministry's answers: signed, at least once, again and again with longer pauses until a 2xx."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx2
from standardwebhooks import Webhook

from devstack.partners.proposals import ProposalBook

log = logging.getLogger("kawal.partners")

BATCH = 32
ATTEMPT_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
MAX_ATTEMPTS = 100
"""About three quarters of an hour; after that a callback waits for `POST .../redelivery`."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One answer on its way."""

    receipt_no: str
    webhook_id: str
    body: str
    attempts: int


class CallbackQueue:
    """The callbacks that are not delivered yet, each with the time of its next attempt."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def due(self, *, now: datetime) -> list[Callback]:
        """List the callbacks to be attempted now, at most a batch, the longest waiting first."""
        rows = self._connection.execute(
            """
            SELECT receipt_no, webhook_id, body, attempts FROM callbacks
            WHERE state = 'waiting' AND next_at <= ? ORDER BY next_at LIMIT ?
            """,
            (now.timestamp(), BATCH),
        )
        return [Callback(**row) for row in rows]

    def next_at(self) -> float | None:
        """Say when the next answer or attempt is due, as seconds of the epoch."""
        return self._connection.execute(
            """
            SELECT min(at) FROM (
                SELECT min(next_at) AS at FROM callbacks WHERE state = 'waiting'
                UNION ALL SELECT min(ruling_due) FROM proposals WHERE answer IS NULL
            )
            """,
        ).fetchone()[0]

    def record(self, callback: Callback, *, result: str, delivered: bool, now: datetime) -> None:
        """Record an attempt: delivered, to be tried again after a longer pause, or given up."""
        attempts = callback.attempts + 1
        state = "delivered" if delivered else "given_up" if attempts >= MAX_ATTEMPTS else "waiting"
        next_at = now.timestamp() + pause_seconds(attempts) if state == "waiting" else None
        with self._connection:
            self._connection.execute(
                "UPDATE callbacks SET state = ?, attempts = ?, next_at = ?, last_result = ? WHERE receipt_no = ?",
                (state, attempts, next_at, result, callback.receipt_no),
            )

    def again(self, receipt_no: str, *, now: datetime) -> bool:
        """Queue a callback anew under its old id; false when there is none yet."""
        with self._connection:
            cursor = self._connection.execute(
                "UPDATE callbacks SET state = 'waiting', attempts = 0, next_at = ? WHERE receipt_no = ?",
                (now.timestamp(), receipt_no),
            )
        return cursor.rowcount == 1


def pause_seconds(attempts: int) -> float:
    """How long to wait after so many failed attempts: doubling, within bounds."""
    return min(FIRST_PAUSE_SECONDS * 2 ** min(attempts - 1, 16), LONGEST_PAUSE_SECONDS)


class Courier:
    """Gives the answers that are due and delivers them to `url`; `copies` says how often to send one at once."""

    def __init__(
        self,
        *,
        url: str,
        secret: str,
        proposals: ProposalBook,
        queue: CallbackQueue,
        copies: Callable[[], int],
    ) -> None:
        self._url = url
        self._webhook = Webhook(secret)
        self._proposals = proposals
        self._queue = queue
        self._copies = copies
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Look again: something new may be due."""
        self._news.set()

    async def run(self) -> None:
        """Work until cancelled. An attempt cut short is made again after a restart."""
        async with httpx2.AsyncClient(timeout=ATTEMPT_SECONDS, trust_env=False) as client:
            while True:
                self._news.clear()
                now = datetime.now(UTC)
                self._proposals.answer_due(now=now)
                due = self._queue.due(now=now)
                await asyncio.gather(*(self._deliver(client, callback) for callback in due))
                if not due:
                    await self._rest()

    async def _rest(self) -> None:
        next_at = self._queue.next_at()
        pause = None if next_at is None else max(0.0, next_at - datetime.now(UTC).timestamp())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._news.wait()

    async def _deliver(self, client: httpx2.AsyncClient, callback: Callback) -> None:
        results = await asyncio.gather(*(self._attempt(client, callback) for _ in range(self._copies())))
        delivered = [result for result in results if result.startswith("2")]
        result = (delivered or results)[0]
        if not delivered:
            log.info("attempt %d to deliver %s: %s", callback.attempts + 1, callback.webhook_id, result)
        self._queue.record(callback, result=result, delivered=bool(delivered), now=datetime.now(UTC))

    async def _attempt(self, client: httpx2.AsyncClient, callback: Callback) -> str:
        """Send one copy and say what came of it: an HTTP status or the name of the fault."""
        now = datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": callback.webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(callback.webhook_id, now, callback.body),
        }
        try:
            response = await client.post(self._url, content=callback.body, headers=headers)
        except httpx2.RequestError as error:
            return type(error).__name__
        return str(response.status_code)
