"""Every sealed column, and where its envelopes belong: what a rotation of the field keys has to seal anew.

A column of bytes that is missing from both tables below fails a test. To add one: say here how its context is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Row, Table

from db.models import (
    AuditOrigin,
    Base,
    Comment,
    DataSubjectExport,
    DataSubjectRequest,
    Decision,
    Evidence,
    EvidenceUpload,
    GroundCheck,
    GroundReport,
    Household,
    HouseholdVersion,
    IdempotencyKey,
    LegalHold,
    MinistryAnswer,
    MinutesRecord,
    Reading,
    Revision,
    UnmaskRequest,
    User,
)
from db.repositories.cases import papers_context, revision_context
from db.repositories.disclosure import explanation_context, request_explanation_context, request_note_context
from db.repositories.registry import household_context
from domain.decisions import answer_note_context, comment_context, note_context
from domain.evidence import capture_context
from domain.ground_checks import check_note_context, report_context
from domain.minutes import paper_context
from domain.origins import act_origin_context, answer_origin_context, traces_context
from domain.people import identity_context
from domain.requests import request_context
from domain.retention import hold_context, lift_context
from domain.rights import export_context, nik_context, rights_note_context, words_context
from domain.uploads import device_context

Context = Callable[[Row[*tuple[Any, ...]]], str]


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of envelopes; `context` tells of a row, with all but its other sealed columns, where each belongs."""

    model: type[Base]
    column: str
    context: Context

    @property
    def table(self) -> Table:
        """The table that it is of."""
        return Base.metadata.tables[self.model.__tablename__]

    @property
    def name(self) -> str:
        """As `table.column`."""
        return f"{self.model.__tablename__}.{self.column}"

    @property
    def envelope(self) -> Column[bytes]:
        """The column itself."""
        return self.table.c[self.column]


SEALED: Final = (
    SealedColumn(Household, "content", lambda row: household_context(row.id, row.version)),
    SealedColumn(HouseholdVersion, "content", lambda row: household_context(row.household_id, row.version)),
    SealedColumn(Revision, "change", lambda row: revision_context(row.update_id, row.revision)),
    SealedColumn(Revision, "papers", lambda row: papers_context(row.update_id, row.revision)),
    SealedColumn(Decision, "note", lambda row: note_context(row.id)),
    SealedColumn(MinistryAnswer, "note", lambda row: answer_note_context(row.id)),
    SealedColumn(MinutesRecord, "words", lambda row: paper_context(row.id)),
    SealedColumn(Comment, "text", lambda row: comment_context(row.id)),
    SealedColumn(MinistryAnswer, "origin", lambda row: answer_origin_context(row.id)),
    SealedColumn(AuditOrigin, "sealed", lambda row: traces_context(row.commitment)),
    SealedColumn(IdempotencyKey, "request", lambda row: request_context(row.id)),
    SealedColumn(IdempotencyKey, "origin", lambda row: act_origin_context(row.id)),
    SealedColumn(Reading, "explanation", lambda row: explanation_context(row.id)),
    SealedColumn(UnmaskRequest, "explanation", lambda row: request_explanation_context(row.id)),
    SealedColumn(UnmaskRequest, "note", lambda row: request_note_context(row.id)),
    SealedColumn(LegalHold, "explanation", lambda row: hold_context(row.id)),
    SealedColumn(LegalHold, "lifted_because", lambda row: lift_context(row.id)),
    SealedColumn(DataSubjectRequest, "nik", lambda row: nik_context(row.id)),
    SealedColumn(DataSubjectRequest, "explanation", lambda row: words_context(row.id)),
    SealedColumn(DataSubjectRequest, "note", lambda row: rights_note_context(row.id)),
    SealedColumn(DataSubjectExport, "content", lambda row: export_context(row.request_id)),
    SealedColumn(User, "identity", lambda row: identity_context(row.id)),
    SealedColumn(Evidence, "capture", lambda row: capture_context(row.id)),
    SealedColumn(GroundCheck, "note", lambda row: check_note_context(row.id)),
    SealedColumn(GroundReport, "content", lambda row: report_context(row.id)),
    SealedColumn(EvidenceUpload, "details", lambda row: device_context(row.id)),
)
"""In the order in which they are sealed anew."""

NOT_SEALED: Final = {
    "audit_origins.commitment": "a salted commitment to traces, as events hold it",
    "account_digests.digest": "a blind index of accounts: has its own keys, and is made anew beside the envelopes",
    "api_key_secrets.digest": "finds a key of a machine without keeping it",
    "audit_checkpoints.previous": "the hash of the checkpoint before",
    "audit_checkpoints.root": "a Merkle root over all chains",
    "audit_checkpoints.signature": "a signature",
    "audit_keys.endorsement": "a signature",
    "audit_keys.public_key": "a public key",
    "audit_marks.hash": "the end of a chain at a checkpoint",
    "audit_events.hash": "a link of the chain",
    "audit_events.prev_hash": "a link of the chain",
    "audit_streams.hash": "the end of a chain",
    "data_subject_digests.digest": "a blind index of requests: has its own keys, and is made anew beside the envelopes",
    "data_subject_requests.salt": "makes the commitment to a NIK in the trail; erased with the rest of the request",
    "evaluations.digest": "a hash over published numbers",
    "evidence.received_sha256": "a hash of the file as it was sent",
    "evidence.sha256": "a hash of the content, which lies sealed in the store",
    "evidence.thumbnail_sha256": "a hash of the small picture, which lies sealed in the store",
    "update_evidence.sha256": "a hash of the content",
    "idempotency_keys.body_hash": "tells a repeat from another request",
    "identity_digests.digest": "a blind index: has its own keys, and is made anew beside the envelopes",
    "refresh_tokens.digest": "finds a token without keeping it",
    "refresh_tokens.replaced_by": "finds what was given for a token",
    "sessions.secret_digest": "finds a session without keeping its secret",
}
"""Columns of bytes that hold no envelope, and what they hold instead."""
