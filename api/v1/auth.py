"""Tokens of the local issuer, and who one is."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import BaseModel, ConfigDict

from api.deps import ActorDep, FrontDep, KawalDep, anyone, signed_in
from domain.authority import Permission
from domain.ids import new_id
from domain.vocabulary import Role
from services.accounts import log_in, read_seats

router = APIRouter(tags=["account"])


class Token(BaseModel):
    """An access token (RFC 6749, 5.1)."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  the type, not the token
    expires_in: int


class SeatView(BaseModel):
    """What one is in one office, and what that allows there."""

    model_config = ConfigDict(from_attributes=True)

    role: Role
    office_id: UUID
    office_name: str | None
    area_code: str
    permissions: list[Permission]


class Me(BaseModel):
    """Who the token belongs to."""

    id: UUID
    name: str
    areas: list[str]
    permissions: list[Permission]
    seats: list[SeatView]


@router.post("/auth/token", dependencies=[anyone(because="it asks for a name and a password itself")])
async def get_token(form: Annotated[OAuth2PasswordRequestForm, Depends()], at_front: FrontDep) -> Token:
    """Exchange a name and a password for an access token (OAuth2 password grant)."""
    user_id = await log_in(
        at_front.kawal,
        form.username,
        form.password,
        verify=at_front.passwords.verify_password,
    )
    token = at_front.issuer.issue(user_id, now=at_front.kawal.now(), session_id=new_id())
    return Token(access_token=token, expires_in=int(at_front.settings.token_ttl.total_seconds()))


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
