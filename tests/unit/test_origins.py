"""From where an act came: what the chain holds of it, and what is left when its traces are erased."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.audit import AuditEvent, Head, append, genesis, link
from domain.audit_export import Trail, read, write
from domain.audit_verification import FlawKind, verify_stream
from domain.keyring import KeyRing, SealError, generate
from domain.origins import (
    ActOrigin,
    Means,
    SealedTraces,
    Traces,
    act_by,
    acting_from,
    no_ring,
    open_traces,
    present_origin,
    present_sealed_origin,
    seal_origin,
)

RING = KeyRing.parse(generate(), setting="test")
ORIGIN = ActOrigin(
    means=Means.SESSION,
    request=UUID("0198a7a2-0000-7000-8000-000000000001"),
    traces=Traces(address="203.0.113.7", agent="Peramban/1"),
)
STREAM = "account:1"
AT = datetime(2026, 3, 2, 1, 15, tzinfo=UTC)
BEFORE_ORIGINS = AuditEvent(stream=STREAM, seq=1, at=AT, type="account.created", data={"by": "hand"})
HASH_BEFORE_ORIGINS = "9843e51d1d8b55aaae0133541731f09136d328dd64ef1531ccedb00a5d758dfa"


def ring() -> KeyRing:
    return RING


def test_an_event_of_before_origins_has_the_hash_it_always_had() -> None:
    assert link(genesis(STREAM), BEFORE_ORIGINS).hex() == HASH_BEFORE_ORIGINS


def a_trail() -> Trail:
    """An event of before origins were kept, and one with its origin."""
    told = seal_origin(ORIGIN, ring).told
    first = append(Head(0, genesis(STREAM)), BEFORE_ORIGINS)
    second = append(Head(1, first.hash), replace(BEFORE_ORIGINS, seq=2, origin=told))
    return Trail(stream=STREAM, head=Head(2, second.hash), events=[first, second])


def test_a_trail_that_began_before_origins_verifies_also_out_of_an_export() -> None:
    trail = a_trail()
    (told,) = read(write(trail))
    assert isinstance(told, Trail)
    assert told == trail
    assert verify_stream(STREAM, told.events, head=told.head) == []


@pytest.mark.parametrize("forged", [None, {"means": "session"}, {"means": "api_key"}])
def test_an_origin_that_was_taken_away_or_changed_shows(forged: dict[str, str] | None) -> None:
    trail = a_trail()
    changed = replace(trail.events[1], event=replace(trail.events[1].event, origin=forged))
    flaws = verify_stream(STREAM, [trail.events[0], changed], head=trail.head)
    assert [(flaw.seq, flaw.kind) for flaw in flaws] == [(2, FlawKind.CHANGED)]


def test_the_chain_holds_a_commitment_that_the_kept_traces_open() -> None:
    sealed = seal_origin(ORIGIN, ring)
    assert sealed.traces is not None
    assert sealed.told == {
        "means": "session",
        "request": str(ORIGIN.request),
        "traces": sealed.traces.commitment.hex(),
    }
    assert open_traces(sealed.traces, RING) == ORIGIN.traces


def test_one_address_has_another_commitment_each_time() -> None:
    commitments = {kept.commitment for _, kept in (seal_origin(ORIGIN, ring) for _ in range(3)) if kept}
    assert len(commitments) == 3


def test_traces_do_not_open_beside_another_commitment() -> None:
    first, second = (seal_origin(ORIGIN, ring).traces for _ in range(2))
    assert first is not None
    assert second is not None
    with pytest.raises(SealError):
        open_traces(SealedTraces(first.commitment, second.envelope), RING)


def test_what_a_request_does_comes_from_it_and_is_sealed_once() -> None:
    assert present_origin() is None
    assert present_sealed_origin() is None
    with acting_from(ORIGIN, ring):
        act_by(Means.API_KEY)
        assert present_origin() == ORIGIN.model_copy(update={"means": Means.API_KEY})
        assert present_sealed_origin() is present_sealed_origin()
    assert present_origin() is None


def test_a_part_of_kawal_leaves_no_traces() -> None:
    with acting_from(ActOrigin(means=Means.DUTY, part="notary"), no_ring):
        sealed = present_sealed_origin()
    assert sealed is not None
    assert (sealed.told, sealed.traces) == ({"means": "duty", "part": "notary"}, None)
