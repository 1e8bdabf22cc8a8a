"""What both servers share at their edge: who may call, how a body is read, how a refusal looks."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

BodyT = TypeVar("BodyT", bound=BaseModel)


class BadBodyError(Exception):
    """A body that its model refuses."""

    def __init__(self, error: ValidationError) -> None:
        super().__init__("The body does not fit its model.")
        self.error = error


class BearerAuth:
    """ASGI middleware: every path below a prefix of `tokens` needs its Bearer token; other paths are open."""

    def __init__(self, app: ASGIApp, *, tokens: Mapping[str, str]) -> None:
        self._app = app
        self._expected = {prefix: f"Bearer {token}".encode() for prefix, token in tokens.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] == "http" and not self._may_pass(scope):
            await problem(401, code="unauthenticated", detail="A valid Bearer token is needed.")(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _may_pass(self, scope: Scope) -> bool:
        given = Headers(scope=scope).get("Authorization", "").encode()
        return all(
            hmac.compare_digest(given, expected)
            for prefix, expected in self._expected.items()
            if scope["path"].startswith(prefix)
        )


async def read_body(request: Request, model: type[BodyT]) -> BodyT:
    """Read the JSON body as `model`; raises `BadBodyError`, which `EXCEPTION_HANDLERS` answers with 422."""
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        raise BadBodyError(error) from None


def problem(status: int, *, code: str, detail: str, **more: object) -> JSONResponse:
    """Build an RFC 9457 problem."""
    return JSONResponse(
        {"type": "about:blank", "status": status, "code": code, "detail": detail, **more},
        status_code=status,
        media_type="application/problem+json",
    )


def json_model(model: BaseModel, *, status: int = 200) -> Response:
    """Answer with `model` as JSON."""
    return Response(model.model_dump_json(), status_code=status, media_type="application/json")


def _answer_bad_body(_request: Request, error: Exception) -> Response:
    assert isinstance(error, BadBodyError)  # noqa: S101 - Starlette's type for handlers is wider than its call
    found = error.error.errors(include_url=False, include_context=False, include_input=False)
    return problem(422, code="invalid_input", detail="The body cannot be accepted.", errors=found)


def _answer_http_exception(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    return problem(error.status_code, code="http_error", detail=error.detail)


EXCEPTION_HANDLERS = {BadBodyError: _answer_bad_body, HTTPException: _answer_http_exception}
