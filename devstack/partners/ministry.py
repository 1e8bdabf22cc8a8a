"""The Ministry's gateway as a partner (stands in for SIKS-NG and Pusdatin): takes proposals, answers later."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.partners.callbacks import CallbackQueue, Courier
from devstack.partners.fault_middleware import UNTRUE
from devstack.partners.faults import Faults
from devstack.partners.proposals import AlreadyAnsweredError, KeyReusedError, ProposalBook, Submission, connect
from devstack.partners.rulings import Answer, Rule, RuleBook
from devstack.partners.serve import Partner, partner
from devstack.partners.wire import problem, read_body

LIST_LIMIT = 500


def ministry(
    *,
    token: str,
    admin_token: str,
    callback_url: str,
    webhook_secret: str,
    path: Path | None = None,
) -> Partner:
    """Build the partner; `path` is the SQLite file of its proposals, without one they are forgotten.

    Answers go to `callback_url`, signed with `webhook_secret` (base64, Standard Webhooks).
    """
    faults = Faults()
    connection = connect(path)
    rules = RuleBook(connection)
    proposals = ProposalBook(connection, rules=rules)
    queue = CallbackQueue(connection)
    courier = Courier(
        url=callback_url,
        secret=webhook_secret,
        proposals=proposals,
        queue=queue,
        copies=faults.copies_of_callback,
    )
    endpoints = _Ministry(connection, rules=rules, proposals=proposals, queue=queue, courier=courier)
    return partner(
        routes=endpoints.routes(),
        lifespan=endpoints.lifespan,
        token=token,
        admin_token=admin_token,
        faults=faults,
    )


class _Ministry:
    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        rules: RuleBook,
        proposals: ProposalBook,
        queue: CallbackQueue,
        courier: Courier,
    ) -> None:
        self._connection = connection
        self._rules = rules
        self._proposals = proposals
        self._queue = queue
        self._courier = courier
        self._courier_task: asyncio.Task[None] | None = None

    def routes(self) -> list[Route]:
        receipt = "/admin/proposals/{receipt_no}"
        return [
            Route("/v1/proposals", self.receive, methods=["POST"]),
            Route("/admin/proposals", self.newest, methods=["GET"]),
            Route(receipt, self.show, methods=["GET"]),
            Route(f"{receipt}/answer", self.answer, methods=["POST"]),
            Route(f"{receipt}/redelivery", self.redeliver, methods=["POST"]),
            Route("/admin/rules", self.show_rules, methods=["GET"]),
            Route("/admin/rules", self.clear_rules, methods=["DELETE"]),
            Route("/admin/rules/default", self.put_default_rule, methods=["PUT"]),
            Route("/admin/rules/kinds/{kind}", self.put_kind_rule, methods=["PUT"]),
            Route("/admin/rules/updates/{update_id}", self.put_update_rule, methods=["PUT"]),
            Route("/healthz", self.health, methods=["GET"]),
        ]

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncGenerator[None]:
        self._courier_task = asyncio.create_task(self._courier.run())
        yield
        self._courier_task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._courier_task
        self._connection.close()

    async def health(self, _request: Request) -> Response:
        if self._courier_task is None or self._courier_task.done():
            return problem(503, code="courier_stopped", detail="No callback leaves any more; restart the partner.")
        return JSONResponse({"status": "ok"})

    async def receive(self, request: Request) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return problem(400, code="idempotency_key_missing", detail="Send an Idempotency-Key.")
        submission = await read_body(request, Submission)
        try:
            receipt_no = self._proposals.receive(submission, key=key, now=datetime.now(UTC))
        except KeyReusedError:
            return problem(422, code="idempotency_key_reused", detail="This key belongs to another proposal.")
        self._courier.wake()
        update_id = "another" if getattr(request.state, UNTRUE, False) else submission.update_id
        return JSONResponse({"receipt_no": receipt_no, "update_id": update_id}, status_code=202)

    async def newest(self, request: Request) -> Response:
        update_id = request.query_params.get("update_id")
        return JSONResponse({"proposals": self._proposals.newest(limit=LIST_LIMIT, update_id=update_id)})

    async def show(self, request: Request) -> Response:
        try:
            return JSONResponse(self._proposals.get(request.path_params["receipt_no"]))
        except KeyError:
            return _unknown_receipt()

    async def answer(self, request: Request) -> Response:
        answer = await read_body(request, Answer)
        try:
            self._proposals.answer(request.path_params["receipt_no"], answer, now=datetime.now(UTC))
        except KeyError:
            return _unknown_receipt()
        except AlreadyAnsweredError:
            return problem(409, code="already_answered", detail="This proposal has its answer.")
        self._courier.wake()
        return await self.show(request)

    async def redeliver(self, request: Request) -> Response:
        if not self._queue.again(request.path_params["receipt_no"], now=datetime.now(UTC)):
            return problem(404, code="not_found", detail="There is no answer to this receipt yet.")
        self._courier.wake()
        return await self.show(request)

    async def show_rules(self, _request: Request) -> Response:
        return JSONResponse({"rules": self._rules.all()})

    async def clear_rules(self, request: Request) -> Response:
        self._rules.clear()
        return await self.show_rules(request)

    async def put_default_rule(self, request: Request) -> Response:
        self._rules.put(await read_body(request, Rule), scope="default")
        return await self.show_rules(request)

    async def put_kind_rule(self, request: Request) -> Response:
        self._rules.put(await read_body(request, Rule), scope="kind", name=request.path_params["kind"])
        return await self.show_rules(request)

    async def put_update_rule(self, request: Request) -> Response:
        name = request.path_params["update_id"]
        self._rules.put(await read_body(request, Rule), scope="update", name=name)
        return await self.show_rules(request)


def _unknown_receipt() -> Response:
    return problem(404, code="not_found", detail="There is no such receipt.")
