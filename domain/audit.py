"""The audit trail's hash chain: what an event holds, what of it is hashed, and how one is linked to the next.

Events lie in streams, one per case, account or policy. Each stored event carries the hash of the one before
it and its own. `domain.audit_verification` reads a stream back and names every place where it is broken.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from pydantic import JsonValue

from domain.canonical import canonical_json, canonical_time

HASH_BYTES: Final = 32
SALT_BYTES: Final = 16

_GENESIS: Final = b"kawal.audit.genesis.v1\0"
_LINK: Final = b"kawal.audit.link.v1\0"
_LINK_WITH_ORIGIN: Final = b"kawal.audit.link.v2\0"
_COMMITMENT: Final = b"kawal.audit.commitment.v1\0"


class AuditType(StrEnum):
    """What happened: `subject.participle`. A case's own stream holds `update.*` and `task.*`."""

    UPDATE_SUBMITTED = "update.submitted"
    UPDATE_ENGINE_STARTED = "update.engine_started"
    UPDATE_RESTARTED = "update.restarted"
    UPDATE_STAGE_ENTERED = "update.stage_entered"
    UPDATE_IDENTITY_CHECKED = "update.identity_checked"
    UPDATE_RETURNED = "update.returned"
    UPDATE_RESUBMITTED = "update.resubmitted"
    UPDATE_WITHDRAWN = "update.withdrawn"
    UPDATE_COMMENTED = "update.commented"
    UPDATE_PUSHED = "update.pushed"
    UPDATE_MINISTRY_ANSWERED = "update.ministry_answered"
    UPDATE_DATA_CONFLICT_FOUND = "update.data_conflict_found"
    UPDATE_SENT_BACK = "update.sent_back"
    UPDATE_DOCUMENT_AWAITED = "update.document_awaited"
    UPDATE_DOCUMENT_WAIT_ENDED = "update.document_wait_ended"
    UPDATE_LAPSE_TOLD = "update.lapse_told"
    UPDATE_LAPSED = "update.lapsed"
    UPDATE_REOPENED = "update.reopened"
    UPDATE_INFORMATION_REQUESTED = "update.information_requested"
    UPDATE_INFORMATION_REMINDED = "update.information_reminded"
    UPDATE_INFORMATION_ESCALATED = "update.information_escalated"
    UPDATE_INFORMATION_UNANSWERED = "update.information_unanswered"
    UPDATE_INFORMATION_ANSWERED = "update.information_answered"
    UPDATE_INFORMATION_WITHDRAWN = "update.information_withdrawn"
    UPDATE_INFORMATION_DROPPED = "update.information_dropped"
    UPDATE_APPEALED = "update.appealed"
    UPDATE_APPEAL_ANSWERED = "update.appeal_answered"
    UPDATE_SUPERSEDED = "update.superseded"
    UPDATE_CONFLICT_OPENED = "update.conflict_opened"
    UPDATE_OPINIONS_HEARD = "update.opinions_heard"
    UPDATE_ROLLED_OVER = "update.rolled_over"
    UPDATE_GROUND_CHECK_DRAWN = "update.ground_check_drawn"
    UPDATE_GROUND_CHECK_ASKED = "update.ground_check_asked"
    UPDATE_GROUND_CHECKED = "update.ground_checked"
    UPDATE_GROUND_REPORT_CORRECTED = "update.ground_report_corrected"
    UPDATE_APPLIED = "update.applied"
    UPDATE_CLOSED = "update.closed"
    TASK_OPENED = "task.opened"
    TASK_CLAIMED = "task.claimed"
    TASK_RELEASED = "task.released"
    TASK_REASSIGNED = "task.reassigned"
    TASK_EXTENDED = "task.extended"
    TASK_DEADLINE_MOVED = "task.deadline_moved"
    TASK_CLOCK_PAUSED = "task.clock_paused"
    TASK_CLOCK_RESUMED = "task.clock_resumed"
    TASK_ESCALATION_ORDERED = "task.escalation_ordered"
    TASK_REMINDED = "task.reminded"
    TASK_ESCALATED = "task.escalated"
    TASK_AGREED = "task.agreed"
    TASK_DECIDED = "task.decided"
    TASK_CANCELLED = "task.cancelled"
    MINUTES_RECORDED = "minutes.recorded"
    MINUTES_SUPERSEDED = "minutes.superseded"
    MINUTES_CARRIED_OUT = "minutes.carried_out"
    AREAS_LOADED = "areas.loaded"
    AREA_LOCATED = "area.located"
    CALENDAR_PUBLISHED = "calendar.published"
    CLOCK_ORDER_ENTERED = "clock_order.entered"
    CLOCK_ORDER_CORRECTED = "clock_order.corrected"
    CLOCK_ORDER_LIFTED = "clock_order.lifted"
    CLOCK_JOB_SETTLED = "clock_job.settled"
    EVALUATION_REQUESTED = "evaluation.requested"
    EVALUATION_MEASURED = "evaluation.measured"
    ROUND_PLANNED = "round.planned"
    ROUND_RESCHEDULED = "round.rescheduled"
    ROUND_BASELINE_TAKEN = "round.baseline_taken"
    ROUND_WORK_LISTED = "round.work_listed"
    ROUND_LIST_MOVED = "round.list_moved"
    ROUND_PROPOSAL_ASKED = "round.proposal_asked"
    ROUND_PLAN_SIGNED = "round.plan_signed"
    ROUND_SIGNOFF_REMINDED = "round.signoff_reminded"
    ROUND_SIGNOFF_ESCALATED = "round.signoff_escalated"
    ROUND_ANSWER_MISSED = "round.answer_missed"
    ROUND_VILLAGE_DETERMINED = "round.village_determined"
    ROUND_DETERMINED = "round.determined"
    ROUND_ROLLED_OVER = "round.rolled_over"
    ROUND_CLOSED = "round.closed"
    POLICY_PUBLISHED = "policy.published"
    POLICY_PUBLISHED_IN_EMERGENCY = "policy.published_in_emergency"
    POLICY_DRAFTED = "policy.drafted"
    POLICY_AMENDED = "policy.amended"
    POLICY_CONSULTATION_OPENED = "policy.consultation_opened"
    POLICY_COMMENTED = "policy.commented"
    POLICY_COMMENT_ANSWERED = "policy.comment_answered"
    POLICY_DRAFT_WITHDRAWN = "policy.draft_withdrawn"
    POLICY_TOOK_EFFECT = "policy.took_effect"
    POLICY_LAPSED = "policy.lapsed"
    POLICY_REVOKED = "policy.revoked"
    ACCOUNT_CREATED = "account.created"
    ACCOUNT_PASSWORD_CHANGED = "account.password_changed"  # noqa: S105  no password: the account got another one
    ACCOUNT_LOGGED_IN = "account.logged_in"
    ACCOUNT_LOGIN_REFUSED = "account.login_refused"
    ACCOUNT_PAUSED = "account.paused"
    ACCOUNT_UNLOCKED = "account.unlocked"
    ACCOUNT_SESSION_ENDED = "account.session_ended"
    ACCESS_PAUSED = "access.paused"
    ACCESS_UNLOCKED = "access.unlocked"
    ACCESS_REFUSED = "access.refused"
    MEMBERSHIP_GRANTED = "membership.granted"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_ALTERATION_ACCEPTED = "audit.alteration_accepted"
    ACCOUNT_CHANGED = "account.changed"
    ACCOUNT_DISABLED = "account.disabled"
    ACCOUNT_ENABLED = "account.enabled"
    ACCOUNT_HANDED_OVER = "account.handed_over"
    ACCOUNT_MATCH_FOUND = "account.match_found"
    ACCOUNT_MATCH_JUDGED = "account.match_judged"
    MEMBERSHIP_CHANGED = "membership.changed"
    MEMBERSHIP_ENDED = "membership.ended"
    DELEGATION_DECLARED = "delegation.declared"
    DELEGATION_ENDED = "delegation.ended"
    OFFICE_CREATED = "office.created"
    OFFICE_CHANGED = "office.changed"
    OFFICE_CLOSED = "office.closed"
    EVIDENCE_KEPT = "evidence.kept"
    EVIDENCE_REFUSED = "evidence.refused"
    EVIDENCE_ERASED = "evidence.erased"
    HOUSEHOLD_READ_UNMASKED = "household.read_unmasked"
    UPDATE_READ_UNMASKED = "update.read_unmasked"
    UPDATE_HOLD_PLACED = "update.hold_placed"
    UPDATE_HOLD_LIFTED = "update.hold_lifted"
    UPDATE_ERASED = "update.erased"
    RETENTION_SWEPT = "retention.swept"
    RIGHTS_REQUESTED = "rights.requested"
    RIGHTS_ANSWERED = "rights.answered"
    RIGHTS_EXPORT_READ = "rights.export_read"
    RIGHTS_EXPORT_REMOVED = "rights.export_removed"
    UNMASKING_REQUESTED = "unmasking.requested"
    UNMASKING_ANSWERED = "unmasking.answered"
    ENGINE_READ = "engine.read"
    EVENT_LOG_EXPORTED = "event_log.exported"
    UNMASKING_READ = "unmasking.read"
    ACCOUNT_SIGNED_OUT_EVERYWHERE = "account.signed_out_everywhere"
    ACCOUNT_IDENTITY_BOUND = "account.identity_bound"
    ACCOUNT_IDENTITY_UNBOUND = "account.identity_unbound"
    API_KEY_MADE = "api_key.made"
    API_KEY_ROTATED = "api_key.rotated"
    API_KEY_REVOKED = "api_key.revoked"
    KEYS_RESEALED = "keys.resealed"
    KEY_RETIRED = "keys.retired"
    AUDIT_ORIGINS_ERASED = "audit.origins_erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One thing that happened, in the order of its stream.

    `stream` is `update:<uuid>`, `policy:<uuid>`, `account:<uuid>`, `access`; `seq` counts from 1; `at` is aware.
    `status` is the case's status after the event, None where the event leaves it alone. `type`, `actor_role`
    and `status` are plain text here, so that a row somebody tampered with can still be read and named.
    `data` has ASCII keys and holds text, whole numbers, booleans, None, lists and mappings of these;
    personal values enter it as commitments (`commit`), never as they are. `origin` says from where it was done, in the
    same way; None in events of before origins were kept.
    """

    stream: str
    seq: int
    at: datetime
    type: str
    actor_id: UUID | None = None
    actor_role: str | None = None
    office_id: UUID | None = None
    on_behalf_of: UUID | None = None
    area_code: str | None = None
    status: str | None = None
    data: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    origin: dict[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as a row holds it: with the hash of the event before it and its own."""

    event: AuditEvent
    prev_hash: bytes
    hash: bytes


class Head(NamedTuple):
    """The end of a stream as recorded beside it; a stream without events has seq 0 and its genesis."""

    seq: int
    hash: bytes


def stream_of_account(user_id: UUID) -> str:
    """The name of the trail of an account."""
    return f"account:{user_id}"


ACCESS_STREAM: Final = "access"
"""The trail of refusals and pauses that concern an address and no account."""


def stream_of_rights(request_id: UUID) -> str:
    """The name of the trail of what a person asked for."""
    return f"rights:{request_id}"


def stream_of_event_log(log_id: UUID) -> str:
    """The name of the trail of an event log that was handed out."""
    return f"event_log:{log_id}"


def genesis(stream: str) -> bytes:
    """What the first event links to. Bound to the stream's name, so a chain cannot be moved to another."""
    return hashlib.sha256(_GENESIS + stream.encode()).digest()


def canonical(event: AuditEvent) -> bytes:
    """The one spelling of an event, which is hashed; raises `NotCanonicalError` where there is none."""
    later: dict[str, JsonValue] = {} if event.origin is None else {"origin": event.origin}
    return canonical_json(
        {
            **later,
            "actor_id": _text(event.actor_id),
            "actor_role": event.actor_role,
            "area_code": event.area_code,
            "at": canonical_time(event.at),
            "data": event.data,
            "office_id": _text(event.office_id),
            "on_behalf_of": _text(event.on_behalf_of),
            "seq": event.seq,
            "status": event.status,
            "stream": event.stream,
            "type": event.type,
        },
    )


def link(prev_hash: bytes, event: AuditEvent) -> bytes:
    """The hash of an event in its place: SHA-256 over the hash before it and its canonical form.

    The second version of the rule is for events with an origin; those without one are hashed as they always were.
    """
    if len(prev_hash) != HASH_BYTES:
        raise ValueError(f"the hash before an event has {HASH_BYTES} bytes")
    rule = _LINK if event.origin is None else _LINK_WITH_ORIGIN
    return hashlib.sha256(rule + prev_hash + canonical(event)).digest()


def append(head: Head, event: AuditEvent) -> StoredEvent:
    """The row of the next event of a stream; raises `ValueError` if its seq does not follow the head's."""
    if event.seq != head.seq + 1:
        raise ValueError(f"event {event.seq} of {event.stream} cannot follow event {head.seq}")
    return StoredEvent(event=event, prev_hash=head.hash, hash=link(head.hash, event))


def new_salt() -> bytes:
    """A fresh salt for `commit`, to be kept apart from the trail so that it can be erased."""
    return os.urandom(SALT_BYTES)


def commit(value: str, *, salt: bytes) -> str:
    """A commitment to a personal value: HMAC-SHA256 in hex under a salt of its own.

    The trail stores this instead of the value. While the salt is kept, it proves what the value was. Once the
    salt is erased, nothing can be learned from it, and the chain still verifies.
    """
    if len(salt) < SALT_BYTES:
        raise ValueError(f"a salt has at least {SALT_BYTES} bytes")
    return hmac.digest(salt, _COMMITMENT + unicodedata.normalize("NFC", value).encode(), "sha256").hex()


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
