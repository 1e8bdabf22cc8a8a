"""Signing in with a browser: by name and password, or at another issuer; a cookie carries the session."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from api.browsers import LOGIN, LOGIN_SECONDS, SESSION
from api.deps import Front, FrontDep, OriginDep, anyone
from api.problems import Problem
from domain.errors import NotFound
from domain.sessions import SessionKind
from runtime.oidc.provider import Provider
from services import browser_login, sessions
from services.accounts import let_in_vouched, log_in
from services.browser_login import Answered, Asked
from services.identities import Stranger
from services.sessions import Signed

router = APIRouter(tags=["account"])

_LOCAL: Final = r"^/([!-.0-\[\]-~][!-\[\]-~]*)?$"
"""A path of this site: what begins with two slashes, or has a backslash, leads browsers elsewhere."""

IssuerName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="The issuer, by its name here")]

CROSS_SITE: Final[dict[int | str, dict[str, Any]]] = {
    403: {"model": Problem, "description": "It does not come from a page of this service."},
}
REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": Problem, "description": "What was sent belongs to nobody."},
    429: {"model": Problem, "description": "Too many attempts have failed, or too many requests came."},
}
NO_ISSUER: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Problem, "description": "Nobody signs in with such an issuer here."},
    503: {"model": Problem, "description": "The issuer does not answer."},
}
ELSEWHERE: Final[dict[int | str, dict[str, Any]]] = {
    303: {"description": "Where to go on, in `Location`."},
}


class Credentials(BaseModel):
    """A name and a password of this service."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    username: str = Field(max_length=1024, pattern=r"^[^\x00]*$")
    password: SecretStr = Field(max_length=1024)


class BrowserSession(BaseModel):
    """The session of this browser. What carries it is in the cookie alone."""

    session_id: UUID
    user_id: UUID
    ends_at: datetime = Field(description="When it ends in any case; sooner if it is not used")


class IssuerView(BaseModel):
    """An issuer with which people sign in."""

    name: str
    title: str
    login: str = Field(description="Where a browser begins")


class IssuersView(BaseModel):
    """The issuers with which people sign in besides names and passwords."""

    items: list[IssuerView]


@router.post(
    "/auth/browser",
    responses=REFUSED | CROSS_SITE,
    dependencies=[anyone(because="it asks for a name and a password itself, and for a page of this site")],
)
async def sign_in(
    body: Credentials, request: Request, response: Response, at_front: FrontDep, origin: OriginDep
) -> BrowserSession:
    """Sign this browser in. A session that it had before ends; the new one has another id and another cookie."""
    at_front.site.require_own_page(request)
    signed = await log_in(
        at_front.kawal,
        body.username,
        body.password.get_secret_value(),
        verify=at_front.passwords.verify_password,
        lifetime=at_front.lifetime,
        patiences=at_front.patiences,
        origin=origin,
        kind=SessionKind.BROWSER,
    )
    ends_at = at_front.lifetime.ends_at(at_front.kawal.now())
    await _begin(at_front, request, response, signed)
    return BrowserSession(session_id=signed.session_id, user_id=signed.user_id, ends_at=ends_at)


@router.delete(
    "/auth/browser",
    status_code=204,
    responses=CROSS_SITE,
    dependencies=[anyone(because="it ends the session of the cookie that comes with it, from a page of this site")],
)
async def sign_out(request: Request, response: Response, at_front: FrontDep) -> None:
    """Sign this browser out. One that is not signed in is answered the same way."""
    at_front.site.require_own_page(request)
    cookie = at_front.site.cookie(request, SESSION)
    if cookie is not None:
        await sessions.end_browser_session(at_front.kawal, cookie)
    at_front.site.forget_cookie(response, SESSION)


@router.get("/auth/oidc", dependencies=[anyone(because="it names the issuers that a page to sign in has to offer")])
async def list_issuers(at_front: FrontDep) -> IssuersView:
    """The issuers with which people sign in here."""
    found = [provider.settings for provider in at_front.foreign.providers.values() if provider.settings.client_id]
    return IssuersView(
        items=[
            IssuerView(name=issuer.name, title=issuer.title or issuer.name, login=f"/v1/auth/oidc/{issuer.name}/login")
            for issuer in found
        ],
    )


@router.get(
    "/auth/oidc/{issuer}/login",
    status_code=303,
    response_class=RedirectResponse,
    responses=ELSEWHERE | NO_ISSUER,
    dependencies=[anyone(because="it sends a browser to its issuer, and signs nobody in")],
)
async def begin_login(
    issuer: IssuerName,
    at_front: FrontDep,
    return_to: Annotated[
        str, Query(max_length=500, pattern=_LOCAL, description="Where to go on here when signed in")
    ] = "/v1/me",
) -> RedirectResponse:
    """Send a browser to the issuer to sign in (authorization code with PKCE)."""
    provider = _provider(at_front, issuer)
    asked = Asked.now(issuer, return_to=return_to, at=at_front.kawal.now())
    address = await browser_login.address_of_login(provider, asked, callback=_callback(at_front, issuer))
    response = RedirectResponse(address, status_code=303)
    at_front.site.set_cookie(response, LOGIN, asked.sealed(at_front.kawal.vault), seconds=LOGIN_SECONDS)
    return response


@router.get(
    "/auth/oidc/{issuer}/callback",
    status_code=303,
    response_class=RedirectResponse,
    responses=ELSEWHERE | REFUSED | NO_ISSUER,
    dependencies=[anyone(because="it takes an answer of the issuer to what this very browser asked, and verifies it")],
)
async def finish_login(
    issuer: IssuerName, request: Request, at_front: FrontDep, origin: OriginDep, answered: Annotated[Answered, Query()]
) -> RedirectResponse:
    """Where the issuer sends the browser back to: sign it in, and go on to where it was."""
    provider, now = _provider(at_front, issuer), at_front.kawal.now()
    client_id = provider.settings.client_id or ""
    asked = browser_login.opened(at_front.site.cookie(request, LOGIN), at_front.kawal.vault)
    callback = _callback(at_front, issuer)
    token = await browser_login.fetch_id_token(provider, asked, answered, callback=callback, now=now)
    vouching = await at_front.foreign.verify_id(provider, token, client_id=client_id, now=now)
    browser_login.check_id_token(asked, dict(vouching.claims), client_id=client_id)
    stranger = Stranger(provider.settings, vouching.subject, vouching.issued_at, vouching.claims)
    signed = await let_in_vouched(at_front.kawal, stranger, lifetime=at_front.lifetime, origin=origin)
    response = RedirectResponse(asked.return_to, status_code=303)
    at_front.site.forget_cookie(response, LOGIN)
    await _begin(at_front, request, response, signed)
    return response


async def _begin(at_front: Front, request: Request, response: Response, signed: Signed) -> None:
    """Give the browser its new cookie, and end the session that it had."""
    before = at_front.site.cookie(request, SESSION)
    if before is not None:
        await sessions.end_browser_session(at_front.kawal, before)
    at_front.site.set_cookie(response, SESSION, signed.secret)


def _provider(at_front: Front, name: str) -> Provider:
    provider = at_front.foreign.providers.get(name)
    if provider is None or provider.settings.client_id is None:
        raise NotFound("Nobody signs in with this issuer here.", remedy="GET /v1/auth/oidc lists those that are.")
    return provider


def _callback(at_front: Front, issuer: str) -> str:
    return f"{at_front.settings.public_url}/v1/auth/oidc/{issuer}/callback"
