"""What can be refused, each with a stable code, the field it concerns and the remedy.

A `DomainError` is a refusal that a person or a client can act on. Everything else is a defect and stays loud.
`api/problems.py` alone turns these into HTTP; the edge of an activity turns them into non-retryable failures
of the same code.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict


class Violation(BaseModel):
    """One thing wrong with one field: a JSON Pointer, a stable code, what is wrong, and how to mend it."""

    model_config = ConfigDict(frozen=True)

    pointer: str
    code: str
    detail: str
    remedy: str


class DomainError(Exception):
    """A refusal. `code` is stable; `detail` says what is wrong; `remedy` what to do; `data` is for machines."""

    code: ClassVar[str] = "refused"
    default_remedy: ClassVar[str] = ""

    def __init__(
        self,
        detail: str,
        *,
        remedy: str | None = None,
        pointer: str | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = self.default_remedy if remedy is None else remedy
        self.pointer = pointer
        self.data: dict[str, Any] = data or {}


class InvalidInput(DomainError):
    """The content cannot be accepted as it is; `violations` names every field that is wrong."""

    code = "invalid_input"
    default_remedy = "Mend the fields named in `violations` and send the request again."

    def __init__(self, violations: list[Violation], *, detail: str | None = None) -> None:
        super().__init__(detail or f"{len(violations)} field(s) cannot be accepted.")
        self.violations = violations


class NotFound(DomainError):
    """There is no such thing, or it lies outside the actor's area: the two are not told apart."""

    code = "not_found"
    default_remedy = "Check the identifier; what lies outside your area is not shown."


class CursorUnknown(DomainError):
    """The cursor leads to no page of this list: it was made up, or comes from another list."""

    code = "cursor_unknown"
    default_remedy = "Take `next` of the page before as it is, or leave the cursor out to begin anew."


class Forbidden(DomainError):
    """The actor sees the thing but may not do this with it."""

    code = "forbidden"
    default_remedy = "Ask someone whose role allows this, or your supervisor."


class SeparationOfDuties(Forbidden):
    """Nobody decides in two stages of one case, nor verifies or approves what they submitted."""

    code = "separation_of_duties"
    default_remedy = "Another officer has to decide here; the case goes to the next eligible one by itself."


class TaskAlreadyDecided(DomainError):
    """Somebody decided first; `data` names who, what and when."""

    code = "task_already_decided"
    default_remedy = "Read the case again: it has moved on."


class CaseClosed(DomainError):
    """The case has ended and takes no further act."""

    code = "case_closed"
    default_remedy = "Submit a new update, or appeal within the period if it was rejected."


class NotPossibleNow(DomainError):
    """The act is a right one, but not in the stage the case is in."""

    code = "not_possible_now"
    default_remedy = "Read the case: its open task says what can be done now."


class GroundCheckAwaited(DomainError):
    """Somebody is to report from the field first; then whoever decides the stage is asked."""

    code = "ground_check_awaited"
    default_remedy = (
        "Wait for the report: the open task of the case says who looks and until when, and its supervisor reassigns it."
    )


class AlreadyAppealed(DomainError):
    """The rejection has been appealed, and the appeal is open or answered. `data` names it."""

    code = "already_appealed"
    default_remedy = "Follow the appeal that there is; a rejection is appealed once."


class AppealTooLate(DomainError):
    """The time to appeal the rejection has passed. `data` names its last day and how it was counted."""

    code = "appeal_too_late"
    default_remedy = "Submit a new update where the household's situation has changed."


class NotAppealable(DomainError):
    """Nobody hears an appeal here: it was not rejected, is an appeal itself, or the policy has none."""

    code = "not_appealable"
    default_remedy = "Only the rejection of an update is appealed, and only once."


class NotReopenable(DomainError):
    """The case has not lapsed, or its way back was used already."""

    code = "not_reopenable"
    default_remedy = "Only a case that has lapsed is reopened, and only once."


class AlreadyReopened(DomainError):
    """The lapsed case was reopened. `data` names the case that carries it on."""

    code = "already_reopened"
    default_remedy = "Follow the case that carries it on."


class ReopenTooLate(DomainError):
    """The time to reopen the lapsed case has passed. `data` names its last day."""

    code = "reopen_too_late"
    default_remedy = "Submit a new update for the household."


class StaleVersion(DomainError):
    """The thing has changed since the version the client holds (If-Match)."""

    code = "stale_version"
    default_remedy = "Read it again and repeat the act on the new version."


class IdempotencyKeyReused(DomainError):
    """The same Idempotency-Key came with another body."""

    code = "idempotency_key_reused"
    default_remedy = "Use a new Idempotency-Key for a new request; repeat the same body for a retry."


class EngineUnavailable(DomainError):
    """The workflow engine does not answer; nothing was lost and the same key may be sent again."""

    code = "engine_unavailable"
    default_remedy = "Repeat the request with the same Idempotency-Key after the time in Retry-After."


class ActPending(DomainError):
    """The act is accepted but its outcome is not known yet; asking again under the same key tells."""

    code = "act_pending"
    default_remedy = "Repeat the request with the same Idempotency-Key to learn the outcome."


class PartnerUnavailable(DomainError):
    """A partner (civil registry, Ministry) does not answer. Passing: callers retry."""

    code = "partner_unavailable"
    default_remedy = "Wait: it is asked again by itself until it answers."


class IssuerUnavailable(DomainError):
    """The issuer that vouches for somebody does not answer, and nothing is known of it yet."""

    code = "issuer_unavailable"
    default_remedy = "Try again later, or sign in with a name and a password if you have one here."


class ForeignRun(DomainError):
    """A second run of the engine for a case that has, or had, its run: it ends without touching the case."""

    code = "foreign_run"


class Unauthenticated(DomainError):
    """Who is asking is not known."""

    code = "unauthenticated"
    default_remedy = "Get a token from POST /v1/auth/token and send it as a Bearer token."


class InvalidGrant(DomainError):
    """What was to be exchanged for tokens is good for none (RFC 6749, 5.2)."""

    code = "invalid_grant"
    default_remedy = "Sign in again."


class InvalidTokenRequest(InvalidInput):
    """What was sent to be exchanged for tokens lacks a field, or has one that cannot be read (RFC 6749, 5.2)."""

    code = "invalid_request"


class UnsupportedGrantType(DomainError):
    """Tokens are given for other grants than this one (RFC 6749, 5.2)."""

    code = "unsupported_grant_type"
    default_remedy = "Send `password` or `refresh_token` as `grant_type`."


class CrossSiteRequest(DomainError):
    """A browser that is signed in would change something, and the page that had it do so is not known to be ours."""

    code = "cross_site_request"
    default_remedy = (
        "Do it from the pages of this service. A program sends an access token or an API key, and no cookie."
    )


class SignInPaused(DomainError):
    """Too many attempts on this name, or from this address, have failed; `data["retry_after"]` says for how long."""

    code = "sign_in_paused"
    default_remedy = "Wait for the time in Retry-After, then try once more; or have an administrator lift the pause."

    @classmethod
    def until(cls, moment: datetime, *, now: datetime) -> Self:
        """The refusal of an attempt at `now`."""
        seconds = math.ceil((moment - now).total_seconds())
        return cls("Too many attempts to sign in have failed.", data={"retry_after": seconds})


class RateLimited(DomainError):
    """More requests came from this account or this address than the installation allows in a minute."""

    code = "rate_limited"
    default_remedy = "Send the request again after the time in Retry-After, and fewer at a time."


class UploadProtocolUnsupported(DomainError):
    """The client speaks another version of the upload protocol, or none."""

    code = "upload_protocol_unsupported"
    default_remedy = "Send `Tus-Resumable: 1.0.0`; Kawal speaks this version of the tus protocol."


class UploadTooLarge(DomainError):
    """The file has more bytes than an installation takes, or than were announced."""

    code = "upload_too_large"
    default_remedy = "Send a smaller picture, or fewer pages."


class UploadOffsetConflict(DomainError):
    """The bytes do not belong where the upload stands; `data.offset` is where the next ones do."""

    code = "upload_offset_conflict"
    default_remedy = "Ask for the offset with HEAD, and go on from there."


class UploadGone(DomainError):
    """The upload has expired, or was ended by its owner."""

    code = "upload_gone"
    default_remedy = "Begin the upload anew."


class TooManyUploads(DomainError):
    """The account has as many unfinished uploads as it may."""

    code = "too_many_uploads"
    default_remedy = "Finish or end (DELETE) one of those under way; GET /v1/evidence/uploads lists them."


class ChecksumMismatch(DomainError):
    """What arrived is not what was sent; nothing of it is kept."""

    code = "checksum_mismatch"
    default_remedy = "Send the same piece again."


class WrongContentType(DomainError):
    """The body is not of the type that the address takes."""

    code = "unsupported_media_type"


class ContentRefused(DomainError):
    """The content of the file cannot be taken; `data.fault` is why, by code."""

    code = "content_refused"


class ContentBeingChecked(DomainError):
    """The whole file has arrived and is being looked at by another request."""

    code = "content_being_checked"
    default_remedy = "Ask again after the time in Retry-After."


class EvidenceUnavailable(DomainError):
    """The store of files or the virus scanner does not answer. Passing: what has arrived is kept."""

    code = "evidence_unavailable"
    default_remedy = "Repeat the request after the time in Retry-After; what has arrived is kept."


class EvidenceErased(DomainError):
    """The file was erased; that it was there, and its SHA-256, is still known."""

    code = "evidence_erased"
    default_remedy = "Ask whoever holds the paper itself."


class ContentErased(DomainError):
    """What the case proposed was erased after its period of retention; who decided what when is still known."""

    code = "content_erased"
    default_remedy = "Read the case itself and its timeline; what it proposed is kept nowhere."


class RangeNotSatisfiable(DomainError):
    """The file has no such bytes; `data.size` is how many it has."""

    code = "range_not_satisfiable"
    default_remedy = "Ask for a range inside the file, or for all of it."


class ConsultationIncomplete(DomainError):
    """The draft of a policy may not be published yet; `data.missing` names what is missing, each with a code."""

    code = "consultation_incomplete"
    default_remedy = "Wait until the time for comments is over and every comment has an answer, then publish it."


class DraftOutdated(DomainError):
    """The draft of a policy builds on a version that others have replaced; `data.based_on` is the one that counts."""

    code = "draft_outdated"
    default_remedy = (
        "Compare the draft with the version in `data.based_on`, take over what it changed, and amend the draft with "
        "`based_on` set to that version."
    )


REFUSALS: dict[str, type[DomainError]] = {
    refusal.code: refusal
    for refusal in (
        NotFound,
        CursorUnknown,
        Forbidden,
        SeparationOfDuties,
        TaskAlreadyDecided,
        CaseClosed,
        NotPossibleNow,
        AlreadyAppealed,
        AppealTooLate,
        GroundCheckAwaited,
        NotAppealable,
        NotReopenable,
        AlreadyReopened,
        ReopenTooLate,
        StaleVersion,
        IdempotencyKeyReused,
        EngineUnavailable,
        ActPending,
        PartnerUnavailable,
        IssuerUnavailable,
        ForeignRun,
        Unauthenticated,
        InvalidGrant,
        CrossSiteRequest,
        SignInPaused,
        RateLimited,
        UploadProtocolUnsupported,
        UploadTooLarge,
        UploadOffsetConflict,
        UploadGone,
        TooManyUploads,
        ChecksumMismatch,
        WrongContentType,
        ContentRefused,
        ContentBeingChecked,
        EvidenceUnavailable,
        EvidenceErased,
        ContentErased,
        RangeNotSatisfiable,
        ConsultationIncomplete,
        DraftOutdated,
    )
}
"""Every refusal by its code, to make it again on the other side of the engine. InvalidInput carries violations."""
