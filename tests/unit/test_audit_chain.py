"""The audit trail: what every kind of manipulation of its rows looks like to who verifies it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit import (
    AuditEvent,
    AuditType,
    Head,
    StoredEvent,
    append,
    canonical,
    commit,
    genesis,
    link,
    new_salt,
)
from domain.audit_verification import Flaw, FlawKind, verify_stream
from domain.canonical import NotCanonicalError, canonical_json
from domain.vocabulary import Role, Status

STREAM = "update:0198a7a2-0000-7000-8000-000000000001"
BEGUN = datetime(2026, 3, 2, 1, 15, tzinfo=UTC)
OFFICER = UUID("0198a7a2-0000-7000-8000-00000000000a")
STORY: list[tuple[AuditType, Status | None]] = [
    (AuditType.UPDATE_SUBMITTED, Status.RECEIVED),
    (AuditType.UPDATE_IDENTITY_CHECKED, Status.IN_VERIFICATION),
    (AuditType.TASK_OPENED, None),
    (AuditType.TASK_CLAIMED, None),
    (AuditType.TASK_DECIDED, Status.IN_DELIBERATION),
    (AuditType.TASK_ESCALATED, None),
]


def an_event(seq: int, *, kind: AuditType = AuditType.TASK_CLAIMED, status: Status | None = None) -> AuditEvent:
    return AuditEvent(
        stream=STREAM,
        seq=seq,
        at=BEGUN + timedelta(hours=seq),
        type=kind,
        actor_id=OFFICER,
        actor_role=Role.PUSKESOS_OFFICER,
        area_code="32.06.13.2001",
        status=status,
        data={"note": f"number {seq}"},
    )


def a_trail(length: int = len(STORY)) -> list[StoredEvent]:
    head = Head(0, genesis(STREAM))
    rows: list[StoredEvent] = []
    for seq in range(1, length + 1):
        kind, status = STORY[(seq - 1) % len(STORY)]
        rows.append(append(head, an_event(seq, kind=kind, status=status)))
        head = Head(seq, rows[-1].hash)
    return rows


def the_head(rows: list[StoredEvent]) -> Head:
    return Head(rows[-1].event.seq, rows[-1].hash)


def verify(rows: list[StoredEvent], *, head: Head | None = None) -> list[Flaw]:
    return verify_stream(STREAM, rows, head=head or the_head(a_trail()))


def found(flaws: list[Flaw]) -> list[tuple[int, FlawKind]]:
    assert all(flaw.stream == STREAM and flaw.detail for flaw in flaws)
    return [(flaw.seq, flaw.kind) for flaw in flaws]


def rewritten(row: StoredEvent, **changes: Any) -> StoredEvent:
    """The row with another content and a hash that fits it, as somebody who knows the format would write it."""
    event = replace(row.event, **changes)
    return StoredEvent(event, row.prev_hash, link(row.prev_hash, event))


def test_a_whole_trail_has_no_flaw() -> None:
    assert verify(a_trail()) == []
    assert verify_stream(STREAM, [], head=Head(0, genesis(STREAM))) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"at": BEGUN},
        {"type": AuditType.TASK_RELEASED},
        {"type": "no.such_type"},
        {"actor_id": None},
        {"actor_role": "administrator"},
        {"office_id": OFFICER},
        {"on_behalf_of": OFFICER},
        {"area_code": "32.06.13.2002"},
        {"status": "applied"},
        {"data": {"note": "another"}},
        {"data": {"note": 1.5}},
        {"stream": "update:another"},
    ],
    ids=str,
)
def test_a_changed_row_is_named_whatever_was_changed(changes: dict[str, Any]) -> None:
    rows = a_trail()
    rows[2] = replace(rows[2], event=replace(rows[2].event, **changes))
    assert found(verify(rows)) == [(3, FlawKind.CHANGED)]


@pytest.mark.parametrize("part", ["hash", "prev_hash"])
def test_a_changed_hash_is_named(part: str) -> None:
    rows = a_trail()
    rows[2] = replace(rows[2], **{part: bytes(32)})
    assert (3, FlawKind.CHANGED) in found(verify(rows))


def test_a_row_changed_together_with_its_hash_no_longer_fits_the_next() -> None:
    rows = a_trail()
    rows[2] = rewritten(rows[2], data={"note": "another"})
    assert found(verify(rows)) == [(4, FlawKind.UNLINKED)]


def test_the_last_row_changed_together_with_its_hash_is_not_the_recorded_end() -> None:
    rows = a_trail()
    rows[-1] = rewritten(rows[-1], data={"note": "another"})
    assert found(verify(rows)) == [(6, FlawKind.UNLINKED)]


@pytest.mark.parametrize(
    ("kept", "missing"),
    [
        ([2, 3, 4, 5, 6], 1),
        ([1, 2, 4, 5, 6], 3),
        ([1, 5, 6], 2),
        ([1, 2, 3, 4, 5], 6),
        ([1], 2),
        ([], 1),
    ],
    ids=str,
)
def test_deleted_rows_are_missed_at_the_front_inside_and_at_the_end(kept: list[int], missing: int) -> None:
    rows = [row for row in a_trail() if row.event.seq in kept]
    assert found(verify(rows)) == [(missing, FlawKind.MISSING)]


def test_without_a_recorded_head_the_end_is_not_judged() -> None:
    assert verify_stream(STREAM, a_trail()[:4], head=None) == []


def test_a_deleted_row_whose_gap_was_closed_by_counting_anew_shows() -> None:
    rows = a_trail()
    renumbered = [replace(row, event=replace(row.event, seq=row.event.seq - 1)) for row in rows[3:]]
    assert {kind for _, kind in found(verify([*rows[:2], *renumbered]))} == {FlawKind.CHANGED, FlawKind.MISSING}


def test_two_rows_that_changed_places_are_named_with_their_true_places() -> None:
    rows = a_trail()
    rows[1], rows[2] = (
        replace(rows[2], event=replace(rows[2].event, seq=2)),
        replace(rows[1], event=replace(rows[1].event, seq=3)),
    )
    flaws = verify(rows)
    assert found(flaws) == [(2, FlawKind.REORDERED), (3, FlawKind.REORDERED)]
    assert [flaw.detail for flaw in flaws] == ["event 2 was recorded as event 3", "event 3 was recorded as event 2"]


def test_rows_kept_in_another_order_are_named() -> None:
    rows = a_trail()
    rows[1], rows[2] = rows[2], rows[1]
    assert found(verify(rows)) == [(2, FlawKind.REORDERED)]


def test_a_row_that_stands_there_twice_is_named() -> None:
    rows = a_trail()
    assert found(verify([*rows[:3], rows[2], *rows[3:]])) == [(3, FlawKind.DUPLICATED)]


def test_a_copy_appended_under_a_new_number_is_named_as_a_copy() -> None:
    rows = a_trail()
    copy = replace(rows[2], event=replace(rows[2].event, seq=7))
    assert (7, FlawKind.DUPLICATED) in found(verify([*rows, copy]))


def test_an_event_beyond_the_recorded_end_is_not_believed() -> None:
    assert found(verify(a_trail(7))) == [(7, FlawKind.UNRECORDED)]


def test_a_whole_trail_moved_to_another_stream_is_refused_row_by_row() -> None:
    rows = a_trail(2)
    flaws = verify_stream("update:another", rows, head=the_head(rows))
    assert [flaw.kind for flaw in flaws].count(FlawKind.CHANGED) == 2


@given(data=st.data(), length=st.integers(1, 12))
def test_any_deletion_swap_or_copy_of_rows_is_found(data: st.DataObject, length: int) -> None:
    whole = a_trail(length)
    rows = data.draw(st.lists(st.sampled_from(whole), max_size=length + 3))
    flaws = verify_stream(STREAM, rows, head=the_head(whole))
    assert (flaws == []) is (rows == whole)


@given(data=st.data())
def test_any_rewriting_of_one_row_is_found(data: st.DataObject) -> None:
    rows = a_trail()
    place = data.draw(st.integers(0, len(rows) - 1))
    rows[place] = rewritten(rows[place], data={"note": data.draw(st.text("ab", max_size=3))})
    assert verify(rows) != []


def test_the_next_event_must_follow_the_head() -> None:
    with pytest.raises(ValueError, match="cannot follow"):
        append(Head(4, bytes(32)), an_event(6))
    with pytest.raises(ValueError, match="32 bytes"):
        link(b"short", an_event(1))


def test_the_form_that_is_hashed_never_changes() -> None:
    """Golden bytes: if this fails, every trail that was ever written no longer verifies."""
    event = replace(
        an_event(1, kind=AuditType.UPDATE_SUBMITTED, status=Status.RECEIVED), data={"b": [1, True], "a": "é"}
    )
    expected = (
        '{"actor_id":"0198a7a2-0000-7000-8000-00000000000a","actor_role":"puskesos_officer",'
        '"area_code":"32.06.13.2001","at":"2026-03-02T02:15:00.000000Z","data":{"a":"é","b":[1,true]},'
        '"office_id":null,"on_behalf_of":null,"seq":1,"status":"received",'
        '"stream":"update:0198a7a2-0000-7000-8000-000000000001","type":"update.submitted"}'
    )
    assert canonical(event).decode() == expected
    assert link(genesis(STREAM), event).hex() == "5d90df332023387bf4cc9aa211cbbfa1eabcc54968bef8b2e2636cbba14d3924"


def test_a_time_zone_and_a_way_to_compose_letters_make_no_other_event() -> None:
    event = replace(an_event(1), data={"name": "Andr\u00e9"})
    jakarta = timezone(timedelta(hours=7))
    same = replace(event, at=event.at.astimezone(jakarta), data={"name": "Andre\u0301"})
    assert canonical(event) == canonical(same)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(value=values)
def test_a_value_read_back_from_json_has_the_same_form(value: Any) -> None:
    assert canonical_json(json.loads(json.dumps(value))) == canonical_json(value)
    assert canonical_json(json.loads(canonical_json(value))) == canonical_json(value)


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), 2**53, "a\0", "\ud800", {"é": 1}, {1: "x"}, {"a": [{"b": 0.1}]}, BEGUN],
    ids=repr,
)
def test_what_could_be_spelled_in_two_ways_is_refused_before_it_is_written(value: Any) -> None:
    with pytest.raises(NotCanonicalError):
        append(Head(0, genesis(STREAM)), replace(an_event(1), data={"value": value}))


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(NotCanonicalError, match="time zone"):
        canonical(replace(an_event(1), at=BEGUN.replace(tzinfo=None)))


def test_erasing_a_salt_leaves_the_trail_whole_and_the_value_unknowable() -> None:
    salt = new_salt()
    promise = commit("3206130101010001", salt=salt)
    row = append(Head(0, genesis(STREAM)), replace(an_event(1), data={"nik": promise}))
    assert commit("3206130101010001", salt=salt) == promise
    assert commit("3206130101010002", salt=salt) != promise
    assert commit("3206130101010001", salt=new_salt()) != promise
    assert "3206130101010001" not in canonical(row.event).decode()
    assert verify_stream(STREAM, [row], head=Head(1, row.hash)) == []
    with pytest.raises(ValueError, match="at least 16 bytes"):
        commit("3206130101010001", salt=b"short")
