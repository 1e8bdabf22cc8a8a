"""Signing in and out: tokens of the local issuer, the sessions behind them, and who one is."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from api.deps import ActorDep, CallerDep, Front, FrontDep, KawalDep, OriginDep, anyone, signed_in
from api.openapi import refusals
from api.validation import violations_of
from domain.authority import Permission
from domain.errors import InvalidGrant, InvalidTokenRequest, Unauthenticated, UnsupportedGrantType, Violation
from domain.sessions import Origin, SessionKind
from domain.vocabulary import Role
from services import sessions
from services.accounts import log_in, read_seats
from services.sessions import REFRESH_PREFIX, Signed

router = APIRouter(tags=["account"])


class _OauthRoute(APIRoute):
    """An address whose clients speak OAuth: a malformed request is told to them in its words."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_as_oauth(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                raise InvalidTokenRequest(violations_of(error.errors(), body=error.body)) from None

        return handle_as_oauth


_oauth = APIRouter(route_class=_OauthRoute)

_LONGEST: Final = 1024


def _grant(name: str, *fields: str) -> dict[str, Any]:
    """What the document asks of a grant."""
    needed = fields or (name,)
    filled = {field: {"minLength": 1} for field in needed}
    return {"properties": {"grant_type": {"const": name}, **filled}, "required": ["grant_type", *needed]}


class Token(BaseModel):
    """An access token (RFC 6749, 5.1) and the refresh token, good once, that gives the next."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  the type, not the token
    expires_in: int = Field(description="Seconds for which the access token is good")
    refresh_token: str
    session_id: UUID


class TokenRequest(BaseModel):
    """What is exchanged for tokens (RFC 6749, 4.3 and 6). A field that is empty counts as left out (3.2)."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [_grant("password", "username", "password"), _grant("refresh_token")]}
    )

    grant_type: str = Field(min_length=1, max_length=_LONGEST, pattern=r"^[^\x00]*$")
    username: str = Field(default="", max_length=_LONGEST, pattern=r"^[^\x00]*$", description="For `password`")
    password: str = Field(
        default="", max_length=_LONGEST, json_schema_extra={"format": "password"}, description="For `password`"
    )
    refresh_token: str = Field(default="", max_length=_LONGEST, description="For `refresh_token`")

    def needed(self, name: Literal["username", "password", "refresh_token"]) -> str:
        """The value of a field that the grant needs. Raises InvalidTokenRequest."""
        value: str = getattr(self, name)
        if not value:
            detail = f"The grant {self.grant_type} needs `{name}`."
            raise InvalidTokenRequest([Violation(pointer=f"/{name}", code="missing", detail=detail, remedy="Add it.")])
        return value


class Revocation(BaseModel):
    """A token whose session is to end (RFC 7009, 2.1)."""

    token: str = Field(min_length=1, max_length=4096, description="A refresh token or an access token")
    token_type_hint: str | None = Field(default=None, max_length=100)


class SessionView(BaseModel):
    """A session that is alive."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: SessionKind
    created_at: datetime
    seen_at: datetime = Field(description="When it was last carried on")
    expires_at: datetime = Field(description="When it ends unless it is carried on")
    ends_at: datetime = Field(description="When it ends in any case")
    address: str | None
    agent: str | None
    current: bool = Field(default=False, description="Whether this request was made in it")


class Sessions(BaseModel):
    """The sessions that are alive, the one used last first."""

    items: list[SessionView]


class SeatView(BaseModel):
    """What one is in one office, and what that allows there."""

    model_config = ConfigDict(from_attributes=True)

    role: Role
    office_id: UUID
    office_name: str | None
    area_code: str
    permissions: list[Permission]
    membership_id: UUID | None = Field(description="The membership it comes from; a leave is declared of it")
    on_behalf_of: UUID | None = Field(description="Who lent it to you while they are on leave; null: it is your own")
    on_leave: bool = Field(description="You are on leave from it and only read; whoever stands in decides")


class Me(BaseModel):
    """Who the token belongs to."""

    id: UUID
    name: str
    areas: list[str]
    permissions: list[Permission]
    seats: list[SeatView]


@_oauth.post(
    "/auth/token",
    responses=refusals(400),
    dependencies=[anyone(because="it asks for a name and a password, or for a refresh token, itself")],
)
async def get_token(form: Annotated[TokenRequest, Form()], at_front: FrontDep, origin: OriginDep) -> Token:
    """Exchange a name and a password, or a refresh token, for an access token and a refresh token.

    A refresh token is good once. One that comes again ends its session, for it may have been stolen; except that the
    first repeat within half a minute, as after an answer that got lost, gives new tokens in place of the lost ones.
    """
    match form.grant_type:
        case "password":
            signed = await _by_password(at_front, form.needed("username"), form.needed("password"), origin=origin)
        case "refresh_token":
            token = form.needed("refresh_token")
            signed = await sessions.refresh(at_front.kawal, token, lifetime=at_front.lifetime)
        case _:
            raise UnsupportedGrantType("This grant is not known here.", pointer="/grant_type")
    return _token_of(at_front, signed)


async def _by_password(at_front: Front, username: str, password: str, *, origin: Origin) -> Signed:
    try:
        return await log_in(
            at_front.kawal,
            username,
            password,
            verify=at_front.passwords.verify_password,
            lifetime=at_front.lifetime,
            patiences=at_front.patiences,
            origin=origin,
        )
    except Unauthenticated as refusal:
        raise InvalidGrant(refusal.detail, remedy=refusal.remedy, data=refusal.data) from None


@_oauth.post(
    "/auth/revoke",
    dependencies=[anyone(because="whoever holds the token may end its session, and can do nothing else here")],
)
async def revoke_token(form: Annotated[Revocation, Form()], at_front: FrontDep) -> None:
    """End the session of a token (RFC 7009): its access tokens are refused from the next request on.

    A token that is not known, or whose session is over, is answered the same way.
    """
    if form.token.startswith(REFRESH_PREFIX):
        await sessions.revoke(at_front.kawal, form.token)
        return
    try:
        claims = at_front.issuer.verify(form.token, now=at_front.kawal.now())
    except Unauthenticated:
        return
    await sessions.end_session_of(at_front.kawal, claims.user_id, claims.session_id)


@router.get("/auth/sessions", dependencies=[signed_in])
async def list_sessions(caller: CallerDep, kawal: KawalDep) -> Sessions:
    """Where I am signed in."""
    alive = await sessions.list_sessions(kawal, caller.actor)
    views = (SessionView.model_validate(session) for session in alive)
    return Sessions(items=[view.model_copy(update={"current": view.id == caller.session_id}) for view in views])


@router.delete("/auth/sessions", status_code=204, dependencies=[signed_in])
async def end_all_sessions(actor: ActorDep, kawal: KawalDep) -> None:
    """Sign out everywhere, here too."""
    await sessions.end_all_sessions(kawal, actor)


@router.delete("/auth/sessions/{session_id}", status_code=204, dependencies=[signed_in])
async def end_session(session_id: UUID, actor: ActorDep, kawal: KawalDep) -> None:
    """Sign out in one place."""
    await sessions.end_session(kawal, actor, session_id)


@router.get("/me", dependencies=[signed_in])
async def get_me(actor: ActorDep, kawal: KawalDep) -> Me:
    """Who I am, in which offices, and what I may do there."""
    seats = await read_seats(kawal, actor)
    return Me(
        id=actor.user_id,
        name=actor.display_name,
        areas=list(actor.areas),
        permissions=sorted({permission for seat in seats for permission in seat.permissions}),
        seats=[SeatView.model_validate(seat) for seat in seats],
    )


def _token_of(at_front: Front, signed: Signed) -> Token:
    return Token(
        access_token=at_front.issuer.issue(signed.user_id, now=at_front.kawal.now(), session_id=signed.session_id),
        expires_in=int(at_front.settings.token_ttl.total_seconds()),
        refresh_token=signed.secret,
        session_id=signed.session_id,
    )


router.include_router(_oauth)
