"""From where an act came: by which means, under which request, and the traces of whoever sent it.

An address, an account of an operating system or the name of a machine may lead to a person. So the trail holds a
commitment to these traces only; they themselves are kept sealed beside it, with the salt, and can be erased.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue

from domain.audit import commit, new_salt
from domain.canonical import canonical_json
from domain.keyring import KeyRing

Ring = Callable[[], KeyRing]
"""What traces are sealed under, asked for when there is something to seal."""


class Means(StrEnum):
    """By what somebody, or a part of Kawal, acted; `issuer` is a token of another issuer."""

    SESSION = "session"
    ISSUER = "issuer"
    API_KEY = "api_key"
    ANONYMOUS = "anonymous"
    PARTNER = "partner"
    OPERATOR = "operator"
    ENGINE = "engine"
    DUTY = "duty"


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Traces(_Kept):
    """What may lead to a person: the network address and the name of the client, or the account and the machine."""

    address: str | None = None
    agent: str | None = None
    os_user: str | None = None
    host: str | None = None


class ActOrigin(_Kept):
    """From where an act came.

    `request` is the id of an HTTP request, which its answer and the log carry; `session` the session it was made in;
    `part` the command, the step of the engine or the duty.
    """

    means: Means
    request: UUID | None = None
    session: UUID | None = None
    part: str | None = None
    traces: Traces | None = None


class SaltedTraces(_Kept):
    """Traces with the salt of their commitment, as they are sealed."""

    salt: str
    traces: Traces

    @property
    def commitment(self) -> bytes:
        """What the trail holds of them."""
        return _commitment(self.traces, bytes.fromhex(self.salt))


class SealedTraces(NamedTuple):
    """The row that keeps traces: what the trail holds of them, and their envelope."""

    commitment: bytes
    envelope: bytes


class SealedOrigin(NamedTuple):
    """An origin as the trail takes it: what the event says, and the traces that are kept beside it, if any."""

    told: dict[str, JsonValue]
    traces: SealedTraces | None


def traces_context(commitment: bytes) -> str:
    """Where sealed traces belong."""
    return f"audit_origins.sealed:{commitment.hex()}"


def act_origin_context(act_id: UUID) -> str:
    """Where the origin of an act belongs that waits for the engine."""
    return f"idempotency_keys.origin:{act_id}"


def answer_origin_context(answer_id: UUID) -> str:
    """Where the origin of a partner's answer belongs."""
    return f"ministry_answers.origin:{answer_id}"


def seal_origin(origin: ActOrigin, ring: Ring) -> SealedOrigin:
    """The origin with its traces put away: under a salt of their own each time, so that no two can be compared."""
    said = origin.model_dump(mode="json", exclude={"traces"}, exclude_none=True)
    if origin.traces is None:
        return SealedOrigin(said, None)
    salted = SaltedTraces(salt=new_salt().hex(), traces=origin.traces)
    commitment = salted.commitment
    envelope = ring().seal(salted.model_dump_json(exclude_none=True).encode(), context=traces_context(commitment))
    return SealedOrigin({**said, "traces": commitment.hex()}, SealedTraces(commitment, envelope))


def open_traces(kept: SealedTraces, ring: KeyRing) -> Traces | None:
    """The traces that a commitment is to; None where the envelope holds others. Raises SealError."""
    opened = ring.open(kept.envelope, context=traces_context(kept.commitment))
    salted = SaltedTraces.model_validate_json(opened)
    return salted.traces if hmac.compare_digest(salted.commitment, kept.commitment) else None


def _commitment(traces: Traces, salt: bytes) -> bytes:
    content = canonical_json(traces.model_dump(mode="json", exclude_none=True))
    return bytes.fromhex(commit(content.decode(), salt=salt))


class _Acting:
    """From where what is done at the moment comes; sealed once, however many events it leads to."""

    __slots__ = ("_ring", "_sealed", "origin")

    def __init__(self, origin: ActOrigin, ring: Ring) -> None:
        self.origin = origin
        self._ring = ring
        self._sealed: SealedOrigin | None = None

    def become(self, origin: ActOrigin) -> None:
        self.origin, self._sealed = origin, None

    def sealed(self) -> SealedOrigin:
        if self._sealed is None:
            self._sealed = seal_origin(self.origin, self._ring)
        return self._sealed


_acting: ContextVar[_Acting | None] = ContextVar("kawal_acting_from", default=None)


@contextmanager
def acting_from(origin: ActOrigin, ring: Ring) -> Generator[None]:
    """Let everything that the block does come from `origin`."""
    token = _acting.set(_Acting(origin, ring))
    try:
        yield
    finally:
        _acting.reset(token)


def act_by(means: Means, *, session: UUID | None = None) -> None:
    """Say by which means the request under way acts, once that is known; nothing outside of one."""
    acting = _acting.get()
    if acting is not None:
        acting.become(acting.origin.model_copy(update={"means": means, "session": session}))


def present_origin() -> ActOrigin | None:
    """From where what is done at the moment comes; None where nobody has said."""
    acting = _acting.get()
    return None if acting is None else acting.origin


def present_sealed_origin() -> SealedOrigin | None:
    """The same as the trail takes it."""
    acting = _acting.get()
    return None if acting is None else acting.sealed()


def no_ring() -> KeyRing:
    """For parts of Kawal, which leave no traces. Raises RuntimeError when asked for."""
    raise RuntimeError("a part of Kawal has no traces to seal")
