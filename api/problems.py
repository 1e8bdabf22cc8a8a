"""Refusals and faults as HTTP: RFC 9457 problem documents with stable codes. Only this module knows both.

A problem never repeats what was sent: it may hold the number of a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from api.methods import Methods
from api.validation import violations_of
from domain.errors import DomainError, InvalidInput, Violation

MEDIA_TYPE: Final = "application/problem+json"


class Kind(NamedTuple):
    """What HTTP says of a code: the status, and a title that is the same for every occurrence."""

    status: int
    title: str
    retry_after: int | None = None


KINDS: Final[Mapping[str, Kind]] = {
    "invalid_input": Kind(422, "The content cannot be accepted"),
    "not_found": Kind(404, "Not found"),
    "cursor_unknown": Kind(404, "The list has no such page"),
    "forbidden": Kind(403, "Not allowed"),
    "separation_of_duties": Kind(403, "Somebody else has to do this"),
    "task_already_decided": Kind(409, "The task has been decided"),
    "case_closed": Kind(409, "The case has ended"),
    "not_possible_now": Kind(409, "Not possible now"),
    "already_appealed": Kind(409, "The rejection has been appealed"),
    "appeal_too_late": Kind(409, "The time to appeal has passed"),
    "not_appealable": Kind(409, "There is no appeal here"),
    "not_reopenable": Kind(409, "There is nothing to reopen"),
    "already_reopened": Kind(409, "The case has been reopened"),
    "reopen_too_late": Kind(409, "The time to reopen has passed"),
    "stale_version": Kind(412, "It has changed since you read it"),
    "idempotency_key_missing": Kind(400, "The request needs an Idempotency-Key"),
    "idempotency_key_reused": Kind(422, "The Idempotency-Key belongs to another request"),
    "engine_unavailable": Kind(503, "The workflow engine does not answer", retry_after=5),
    "partner_unavailable": Kind(503, "A partner does not answer", retry_after=30),
    "issuer_unavailable": Kind(503, "The issuer does not answer", retry_after=15),
    "act_pending": Kind(202, "Accepted, the outcome is not known yet", retry_after=2),
    "unauthenticated": Kind(401, "Not signed in"),
    "invalid_grant": Kind(400, "The grant is good for no token"),
    "invalid_request": Kind(400, "The request for a token cannot be read"),
    "unsupported_grant_type": Kind(400, "The grant is of a kind that is not known here"),
    "cross_site_request": Kind(403, "Not from a page of this service"),
    "sign_in_paused": Kind(429, "Signing in is paused"),
    "rate_limited": Kind(429, "Too many requests"),
    "upload_protocol_unsupported": Kind(412, "This upload protocol is not spoken here"),
    "ground_check_awaited": Kind(409, "Somebody is to look in the field first"),
    "upload_too_large": Kind(413, "The file is too large"),
    "upload_offset_conflict": Kind(409, "The bytes belong elsewhere"),
    "upload_gone": Kind(410, "The upload is no longer there"),
    "too_many_uploads": Kind(429, "Too many unfinished uploads", retry_after=60),
    "checksum_mismatch": Kind(460, "What arrived is not what was sent"),
    "content_refused": Kind(422, "The content of the file cannot be taken"),
    "content_being_checked": Kind(423, "The file is being looked at", retry_after=2),
    "evidence_unavailable": Kind(503, "The store of files or the virus scanner does not answer", retry_after=15),
    "evidence_erased": Kind(410, "The file was erased"),
    "content_erased": Kind(410, "The content was erased"),
    "range_not_satisfiable": Kind(416, "The file has no such bytes"),
    "consultation_incomplete": Kind(409, "Something is missing before the draft may be published"),
    "draft_outdated": Kind(409, "The draft builds on an older version"),
    "malformed_request": Kind(400, "The request cannot be read"),
    "malformed_json": Kind(400, "The body is not JSON"),
    "method_not_allowed": Kind(405, "This method is not for this address"),
    "body_too_large": Kind(413, "The body is too large"),
    "unsupported_media_type": Kind(415, "The body is of a type that is not understood"),
    "database_unavailable": Kind(503, "The database does not answer", retry_after=5),
    "internal_error": Kind(500, "A defect of this service"),
}
"""Every code that an answer can carry."""

_INTERNAL: Final = "internal_error"
_GRANTS_REFUSED: Final = frozenset({"invalid_grant", "invalid_request", "unsupported_grant_type"})
"""Codes that clients of OAuth know, and look for under `error`."""


class Problem(BaseModel):
    """An RFC 9457 problem document. `code` is stable; `remedy` says what to do; `instance` names this occurrence."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    remedy: str
    violations: list[Violation] = []
    data: dict[str, Any] = {}
    error: str = Field(default="", description="Of a refused grant: its code by RFC 6749, 5.2")
    error_description: str = Field(default="", description="Of a refused grant: what `detail` says")


def problem(
    request: Request,
    code: str,
    *,
    detail: str,
    remedy: str,
    violations: list[Violation] | None = None,
    data: dict[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer for a code. `violations` and `data` stand in it only where there are some."""
    kind = KINDS[code]
    content: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": f"urn:uuid:{request_id_of(request)}",
        "code": code,
        "remedy": remedy,
    }
    if violations:
        content["violations"] = [violation.model_dump() for violation in violations]
    if data:
        content["data"] = data
    if code in _GRANTS_REFUSED:
        content |= {"error": code, "error_description": detail}
    retry = {} if kind.retry_after is None else {"Retry-After": str(kind.retry_after)}
    return JSONResponse(content, kind.status, {**retry, **(headers or {})}, MEDIA_TYPE)


def request_id_of(request: Request) -> UUID:
    """The id under which this request is logged; RequestLog has given it."""
    return cast("UUID", request.scope["kawal.request_id"])


def install(app: FastAPI, *, methods: Methods) -> None:
    """Answer every refusal of an endpoint with a problem. What is none is RequestLog's to answer."""
    app.state.methods = methods
    app.add_exception_handler(DomainError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    refusal = cast("DomainError", error)
    if refusal.code not in KINDS:
        raise refusal
    return refusal_answer(request, refusal)


def refusal_answer(request: Request, refusal: DomainError) -> JSONResponse:
    """The answer to a refusal whose code is one of KINDS."""
    return problem(
        request,
        refusal.code,
        detail=refusal.detail,
        remedy=refusal.remedy,
        violations=_violations(refusal),
        data=refusal.data,
        headers=_headers(refusal),
    )


def _violations(refusal: DomainError) -> list[Violation]:
    if isinstance(refusal, InvalidInput):
        return refusal.violations
    if refusal.pointer is None:
        return []
    return [
        Violation(pointer=refusal.pointer, code=refusal.code, detail=refusal.detail, remedy=refusal.remedy),
    ]


def _headers(refusal: DomainError) -> dict[str, str]:
    match refusal.code:
        case "unauthenticated":
            fault = ', error="invalid_token"' if refusal.data.get("reason", "").startswith("token_") else ""
            return {"WWW-Authenticate": f'Bearer realm="kawal"{fault}'}
        case "forbidden":
            return {"WWW-Authenticate": 'Bearer realm="kawal", error="insufficient_scope"'}
        case "act_pending" if "update_id" in refusal.data:
            return {"Location": f"/v1/updates/{refusal.data['update_id']}"}
        case "partner_unavailable" | "sign_in_paused" | "rate_limited" if refusal.data.get("retry_after"):
            return {"Retry-After": str(refusal.data["retry_after"])}
        case _:
            return _headers_about_files(refusal)


def _headers_about_files(refusal: DomainError) -> dict[str, str]:
    match refusal.code:
        case "upload_protocol_unsupported":
            return {"Tus-Version": "1.0.0"}
        case "upload_offset_conflict":
            return {"Upload-Offset": str(refusal.data["offset"])}
        case "range_not_satisfiable":
            return {"Content-Range": f"bytes */{refusal.data['size']}"}
        case _:
            return {}


_KEY: Final = ("header", "Idempotency-Key")


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    invalid = cast("RequestValidationError", error)
    faults = invalid.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return _not_json(request, detail=f"The body is not JSON: it breaks off at character {faults[0]['loc'][-1]}.")
    if isinstance(invalid.body, bytes) and invalid.body:
        return problem(
            request,
            "unsupported_media_type",
            detail="The body did not come as JSON.",
            remedy="Send it with `Content-Type: application/json`.",
        )
    violations = violations_of(faults, body=invalid.body)
    if any(fault["type"] == "missing" and fault["loc"] == _KEY for fault in faults):
        return problem(
            request,
            "idempotency_key_missing",
            detail="What is made here is made once for each key, and the request names none.",
            remedy="Send a header `Idempotency-Key` with a value of your own, such as a UUID.",
            violations=violations,
        )
    refusal = InvalidInput(violations)
    return problem(
        request,
        refusal.code,
        detail=refusal.detail,
        remedy=refusal.remedy,
        violations=violations,
    )


def _not_json(request: Request, *, detail: str) -> JSONResponse:
    return problem(request, "malformed_json", detail=detail, remedy="Send one well-formed JSON document in UTF-8.")


async def _http(request: Request, error: Exception) -> JSONResponse:
    refused = cast("HTTPException", error)
    match refused.status_code:
        case 404:
            return problem(
                request,
                "not_found",
                detail="There is nothing at this address.",
                remedy="Look at the addresses in /openapi.json.",
            )
        case 405:
            return problem(
                request,
                "method_not_allowed",
                detail="This address does not take this method.",
                remedy="Use one of the methods in the header Allow.",
                headers={"Allow": cast("Methods", request.app.state.methods).allowed(request.url.path)},
            )
        case 413:
            return body_too_large(request)
        case 400 if request.headers.get("content-type", "").startswith("application/json"):
            return _not_json(request, detail="The body cannot be read as a JSON document.")
        case _:
            return problem(
                request,
                "malformed_request",
                detail="The request cannot be read.",
                remedy="Look at the addresses and their forms in /openapi.json.",
            )


def body_too_large(request: Request) -> JSONResponse:
    """The answer to a body that was refused before it was read."""
    return problem(
        request,
        "body_too_large",
        detail="The body is larger than a mebibyte, or than a file may be where a piece of one is sent.",
        remedy="Send one update a request, and files through /v1/evidence/uploads.",
    )


def fault(request: Request, error: Exception) -> JSONResponse:
    """The answer to what is no refusal: an outage of the database is said to be one, the rest is our defect."""
    if is_outage(error):
        return problem(
            request,
            "database_unavailable",
            detail="The database does not answer at the moment.",
            remedy="Repeat the request, with the same Idempotency-Key, after the time in Retry-After.",
        )
    return problem(
        request,
        _INTERNAL,
        detail="Something went wrong here; it has been written down.",
        remedy="Report the `instance` of this problem to whoever runs this service.",
    )


def is_outage(error: BaseException) -> bool:
    """Whether PostgreSQL could not be reached, refused the connection or dropped it, or has no connection left."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (error.orig is not None and _is_lost(error.orig))
    return isinstance(error, PoolTimeoutError) or _is_lost(error)


_CLASSES_OF_OUTAGE: Final = ("08", "53", "57P")
"""SQLSTATE: connection exception, insufficient resources, operator intervention (shutdown, starting up)."""


def _is_lost(error: BaseException) -> bool:
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if isinstance(state, str):
        return state.startswith(_CLASSES_OF_OUTAGE)
    if isinstance(error, OSError):
        return error.filename is None  # a file that is missing is a defect of ours
    return isinstance(error, asyncpg.InterfaceError)
