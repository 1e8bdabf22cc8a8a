"""What endpoints are given: the services' root, who is asking, and the keys and versions that headers carry.

Every endpoint declares what it asks of its caller with `requires(permission)`, `signed_in` or `anyone`, in its
`dependencies`; a test walks the routes and fails on one that does not.
"""

# No postponed annotations here: FastAPI cannot resolve them on a callable instance, which the declarations are.
import re
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, Header, Request
from fastapi.security import OAuth2PasswordBearer

from api.browsers import SAFE_METHODS, cookie_scheme
from api.callers import Caller, identify
from api.front import Front
from api.request_log import agent_of
from domain.authority import Actor, Permission
from domain.errors import Forbidden
from domain.origins import Means, act_by
from domain.sessions import Origin
from services.kawal import Kawal


def _front(request: Request) -> Front:
    return cast("Front", request.app.state.front)


async def front(request: Request) -> Front:
    """The front of the running application; it is there from start-up on."""
    return _front(request)


async def kawal(request: Request) -> Kawal:
    """The services' root."""
    return _front(request).kawal


async def origin(request: Request) -> Origin:
    """From where somebody asks: the address that the connection or a trusted proxy names, and the client's own name."""
    return Origin(address=request.client and request.client.host, agent=agent_of(request.headers))


FrontDep = Annotated[Front, Depends(front)]
KawalDep = Annotated[Kawal, Depends(kawal)]
OriginDep = Annotated[Origin, Depends(origin)]

_bearer = OAuth2PasswordBearer(
    tokenUrl="/v1/auth/token",
    auto_error=False,
    description="An access token, or the API key of a machine: both as `Authorization: Bearer ...`.",
)


async def current_caller(
    request: Request,
    token: Annotated[str | None, Depends(_bearer)],
    _cookie: Annotated[str | None, Depends(cookie_scheme)],
) -> Caller:
    """Who is asking, with the seats they hold at this moment. Raises Unauthenticated, CrossSiteRequest."""
    caller = await identify(_front(request), request, token)
    request.scope["kawal.actor"] = caller.actor.user_id
    request.scope["kawal.api_key"] = caller.actor.api_key
    act_by(_means_of(caller), session=caller.session_id)
    return caller


def _means_of(caller: Caller) -> Means:
    if caller.actor.api_key is not None:
        return Means.API_KEY
    return Means.ISSUER if caller.session_id is None else Means.SESSION


CallerDep = Annotated[Caller, Depends(current_caller)]


async def current_actor(caller: CallerDep) -> Actor:
    """The person behind the request."""
    return caller.actor


ActorDep = Annotated[Actor, Depends(current_actor)]


@dataclass(frozen=True, slots=True)
class Requires:
    """The declaration that an endpoint needs `permission` in some seat; over which area, the service decides."""

    permission: Permission

    async def __call__(self, actor: ActorDep) -> None:
        """Raise Forbidden when no seat of the caller gives the permission anywhere."""
        if not actor.may_anywhere(self.permission):
            raise Forbidden(f"None of your roles allows {self.permission.value}.")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The declaration that an endpoint answers everybody who is known, about themselves.

    A machine's key carries scopes, and none stands for this: it reads here and changes nothing.
    """

    async def __call__(self, request: Request, actor: ActorDep) -> None:
        """Raise Forbidden for a machine that would change something; nothing more is asked than to be known."""
        if actor.api_key is not None and request.method not in SAFE_METHODS:
            raise Forbidden("This is for people: no scope of an API key carries it.")


@dataclass(frozen=True, slots=True)
class Anyone:
    """The declaration that an endpoint is public: `because` says what protects it, or why nothing needs to."""

    because: str

    async def __call__(self) -> None:
        """Nothing is asked."""


signed_in = Depends(SignedIn())


def requires(permission: Permission) -> Any:
    """For `dependencies=[...]`: the endpoint needs this permission."""
    return Depends(Requires(permission))


def anyone(*, because: str) -> Any:
    """For `dependencies=[...]`: the endpoint is public, and why it may be."""
    return Depends(Anyone(because))


_KEY_PATTERN = r"^[\x21-\x7e]+$"

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=_KEY_PATTERN,
        description="Names this request: sent again with the same body, it is answered again and not done again.",
    ),
]
OptionalIdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=_KEY_PATTERN,
        description="Names this request. Without one, the answer names the key that was made for it.",
    ),
]


def etag(version: int, *, of: str | None = None) -> str:
    """The entity tag of something in this version; with `of`, of what an answer shows of it, by its digest."""
    return f'"v{version}"' if of is None else f'"v{version}.{of}"'


_ETAG = re.compile(r'"v([0-9]{1,9})(?:\.[0-9a-f]{16})?"')


_OF_ETAG = 'The version you hold, as its ETag names it: `"v3"`.'


async def _held_versions(
    if_match: Annotated[str | None, Header(max_length=1000, description=_OF_ETAG)] = None,
) -> frozenset[int] | None:
    return _versions(if_match)


async def _required_versions(
    if_match: Annotated[str, Header(max_length=1000, description=f"{_OF_ETAG} `*` for any.")],
) -> frozenset[int] | None:
    return _versions(if_match)


def _versions(if_match: str | None) -> frozenset[int] | None:
    if if_match is None or if_match.strip() == "*":
        return None
    tags = (_ETAG.fullmatch(tag.strip()) for tag in if_match.split(","))
    return frozenset(int(tag[1]) for tag in tags if tag)


HeldVersions = Annotated[frozenset[int] | None, Depends(_held_versions)]
"""The versions that the client would act on (If-Match, RFC 9110, 13.1.1); None for any. Weak tags never match."""
RequiredVersions = Annotated[frozenset[int] | None, Depends(_required_versions)]
"""The same where nobody acts on what they have not read: the header has to be there."""
