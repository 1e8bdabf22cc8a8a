"""Administering people: accounts, appointments, offices, and pairs of accounts that look like one person's."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from api.deps import ActorDep, FrontDep, HeldVersions, IdempotencyKey, KawalDep, etag, requires, signed_in
from api.pagination import Page, PageQuery, page_of
from domain.areas import AreaOrNation
from domain.authority import Permission
from domain.people import Verdict
from domain.text import SearchTerm
from domain.vocabulary import Role
from services.keyed import Call
from services.people import accounts, handover, matches, memberships, offices
from services.people.accounts import NewUser, UserChange
from services.people.handover import HandedOver, HandoverInput
from services.people.memberships import MembershipChange, NewMembership
from services.people.offices import NewOffice, OfficeChange
from services.queries import people
from services.queries.keyset import ByAge
from services.queries.people import (
    MatchFacts,
    MembershipFacts,
    MembershipFilter,
    OfficeFacts,
    UserFacts,
    UserFilter,
    UserInFull,
)

router = APIRouter(tags=["people"])
_MANAGE = [requires(Permission.PEOPLE_MANAGE)]


async def _call(actor: ActorDep, kawal: KawalDep, key: IdempotencyKey) -> Call:
    return Call(actor=actor, key=key, at=kawal.now())


CallDep = Annotated[Call, Depends(_call)]


class UserQuery(PageQuery):
    """What narrows the list of accounts."""

    area: AreaOrNation | None = Field(default=None, description="Administered or appointed in this area or below it")
    role: Role | None = Field(default=None, description="Appointed so now")
    disabled: bool | None = None
    q: SearchTerm | None = Field(
        default=None, description="The beginning of the user name, or a part of the display name"
    )


class MembershipQuery(PageQuery):
    """What narrows the list of appointments."""

    user_id: UUID | None = None
    area: AreaOrNation | None = Field(default=None, description="Over this area or one below it")
    role: Role | None = None
    office_id: UUID | None = None
    running: bool | None = Field(default=None, description="true: only those that give authority now")


class OfficeQuery(PageQuery):
    """What narrows the list of offices."""

    area: AreaOrNation | None = Field(default=None, description="Of this area or one below it")
    closed: bool = Field(default=False, description="Closed ones too")


class MatchQuery(PageQuery):
    """What narrows the list of pairs."""

    open: bool = Field(default=True, description="Only those that nobody has judged")


class NewPassword(BaseModel):
    """A password to be given."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    password: SecretStr = Field(min_length=12, max_length=200)


class VerdictInput(BaseModel):
    """What was found of two accounts."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict


class UserMade(BaseModel):
    """An account that was made. Give it a password and a membership next."""

    id: UUID
    findings: list[MatchFacts] = Field(description="Other accounts with the same NIK or e-mail address; judge them")


@router.get("/users", dependencies=_MANAGE)
async def list_users(query: Annotated[UserQuery, Query()], actor: ActorDep, kawal: KawalDep) -> Page[UserFacts]:
    """The accounts that belong to your area or are appointed in it, with what they are there."""
    wanted = UserFilter(area=query.area, role=query.role, disabled=query.disabled, name=query.q)
    return page_of(await people.list_users(kawal, actor, wanted, query.page(ByAge)))


@router.post("/users", status_code=201, dependencies=_MANAGE)
async def create_user(body: NewUser, call: CallDep, kawal: KawalDep, response: Response) -> UserMade:
    """Make an account. It can do nothing until it has a membership."""
    made, replayed = await accounts.create_user(kawal, call, body)
    _made(response, f"/v1/users/{made.id}", replayed=replayed)
    found = [await people.read_match(kawal, call.actor, match.id) for match in made.matches]
    return UserMade(id=made.id, findings=found)


@router.get("/users/{user_id}", dependencies=_MANAGE)
async def read_user(user_id: UUID, actor: ActorDep, kawal: KawalDep, response: Response) -> UserInFull:
    """One account."""
    found = await people.read_user(kawal, actor, user_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/users/{user_id}", dependencies=_MANAGE)
async def change_user(
    user_id: UUID, body: UserChange, actor: ActorDep, kawal: KawalDep, holds: HeldVersions
) -> UserInFull:
    """Change the name, NIK or e-mail address of an account, disable it, or let it in again. Never one's own."""
    await accounts.change_user(kawal, actor, user_id, body, holds=holds)
    return await people.read_user(kawal, actor, user_id)


@router.put("/users/{user_id}/password", status_code=204, dependencies=_MANAGE)
async def give_password(
    user_id: UUID, body: NewPassword, actor: ActorDep, at_front: FrontDep, holds: HeldVersions
) -> None:
    """Give an account another password. Never one's own; it is written down who gave it."""
    hashed = await at_front.passwords.hash_password(body.password.get_secret_value())
    await accounts.give_password(at_front.kawal, actor, user_id, password_hash=hashed, holds=holds)


@router.post("/users/{user_id}/handover", dependencies=_MANAGE)
async def hand_over(
    user_id: UUID, body: HandoverInput, call: CallDep, kawal: KawalDep, response: Response
) -> HandedOver:
    """Let somebody leave: tasks handed over or released, memberships and leaves ended, the account disabled.

    One act, once for each Idempotency-Key. Cases in which nobody else may decide go up their ladder at once.
    """
    done, replayed = await handover.hand_over(kawal, call, user_id, body)
    _replayed(response, replayed=replayed)
    return done


@router.get("/memberships", dependencies=_MANAGE)
async def list_memberships(
    query: Annotated[MembershipQuery, Query()], actor: ActorDep, kawal: KawalDep
) -> Page[MembershipFacts]:
    """The appointments within your area, the newest first, those that are over too."""
    wanted = MembershipFilter(
        user_id=query.user_id, area=query.area, role=query.role, office_id=query.office_id, running=query.running
    )
    return page_of(await people.list_memberships(kawal, actor, wanted, query.page(ByAge)))


@router.post("/memberships", status_code=201, dependencies=_MANAGE)
async def create_membership(body: NewMembership, call: CallDep, kawal: KawalDep, response: Response) -> MembershipFacts:
    """Appoint somebody: within your area, to no role above your tier, and never yourself."""
    granted, replayed = await memberships.create_membership(kawal, call, body)
    _made(response, f"/v1/memberships/{granted.id}", replayed=replayed)
    return await people.read_membership(kawal, call.actor, granted.id)


@router.get("/memberships/{membership_id}", dependencies=_MANAGE)
async def read_membership(membership_id: UUID, actor: ActorDep, kawal: KawalDep, response: Response) -> MembershipFacts:
    """One appointment."""
    found = await people.read_membership(kawal, actor, membership_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/memberships/{membership_id}", dependencies=_MANAGE)
async def change_membership(
    membership_id: UUID, body: MembershipChange, actor: ActorDep, kawal: KawalDep, holds: HeldVersions
) -> MembershipFacts:
    """Change the office or the end of an appointment; another role or area is another appointment."""
    await memberships.change_membership(kawal, actor, membership_id, body, holds=holds)
    return await people.read_membership(kawal, actor, membership_id)


@router.post("/memberships/{membership_id}/end", dependencies=_MANAGE)
async def end_membership(membership_id: UUID, actor: ActorDep, kawal: KawalDep, holds: HeldVersions) -> MembershipFacts:
    """End an appointment now: its holder has nothing from it in their very next request."""
    await memberships.end_membership(kawal, actor, membership_id, holds=holds)
    return await people.read_membership(kawal, actor, membership_id)


@router.get("/offices", dependencies=[signed_in])
async def list_offices(query: Annotated[OfficeQuery, Query()], actor: ActorDep, kawal: KawalDep) -> Page[OfficeFacts]:
    """The offices, of everywhere or of one area; who sits in them is not told."""
    found = await people.list_offices(kawal, actor, query.page(ByAge), area=query.area, closed=query.closed)
    return page_of(found)


@router.post("/offices", status_code=201, dependencies=_MANAGE)
async def create_office(body: NewOffice, call: CallDep, kawal: KawalDep, response: Response) -> OfficeFacts:
    """Make an office that covers an area of yours."""
    made, replayed = await offices.create_office(kawal, call, body)
    _made(response, f"/v1/offices/{made.id}", replayed=replayed)
    return await people.read_office(kawal, call.actor, made.id)


@router.get("/offices/{office_id}", dependencies=[signed_in])
async def read_office(office_id: UUID, actor: ActorDep, kawal: KawalDep, response: Response) -> OfficeFacts:
    """One office."""
    found = await people.read_office(kawal, actor, office_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/offices/{office_id}", dependencies=_MANAGE)
async def change_office(
    office_id: UUID, body: OfficeChange, actor: ActorDep, kawal: KawalDep, holds: HeldVersions
) -> OfficeFacts:
    """Rename an office, close it once nobody is appointed in it, or open it again."""
    await offices.change_office(kawal, actor, office_id, body, holds=holds)
    return await people.read_office(kawal, actor, office_id)


@router.get("/account-matches", dependencies=_MANAGE)
async def list_matches(query: Annotated[MatchQuery, Query()], actor: ActorDep, kawal: KawalDep) -> Page[MatchFacts]:
    """Pairs of accounts with the same NIK or e-mail address, of which one at least is of your area."""
    return page_of(await people.list_matches(kawal, actor, query.page(ByAge), open_only=query.open))


@router.get("/account-matches/{match_id}", dependencies=_MANAGE)
async def read_match(match_id: UUID, actor: ActorDep, kawal: KawalDep) -> MatchFacts:
    """One pair of accounts."""
    return await people.read_match(kawal, actor, match_id)


@router.put("/account-matches/{match_id}/verdict", dependencies=_MANAGE)
async def judge_match(match_id: UUID, body: VerdictInput, actor: ActorDep, kawal: KawalDep) -> MatchFacts:
    """Say whether two accounts are one person's. One person decides once in a case, whatever account they use."""
    await matches.judge(kawal, actor, match_id, body.verdict)
    return await people.read_match(kawal, actor, match_id)


def _made(response: Response, address: str, *, replayed: bool) -> None:
    response.headers["Location"] = address
    _replayed(response, replayed=replayed)


def _replayed(response: Response, *, replayed: bool) -> None:
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
