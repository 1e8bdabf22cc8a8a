"""Where a case stands on its route, what can happen to it, and which status each stage shows."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.vocabulary import CLOSED_STATUSES, Stage, Status


class Happening(StrEnum):
    """What can happen to a case."""

    STARTED = "started"
    IDENTITY_EXPECTED = "identity_expected"
    IDENTITY_UNEXPECTED = "identity_unexpected"
    IDENTITY_WAIVED = "identity_waived"
    FORWARDED = "forwarded"
    RETURNED = "returned"
    REJECTED = "rejected"
    RESUBMITTED = "resubmitted"
    WITHDRAWN = "withdrawn"
    PUSHED = "pushed"
    MINISTRY_ACCEPTED = "ministry_accepted"
    MINISTRY_RETURNED = "ministry_returned"
    MINISTRY_REJECTED = "ministry_rejected"
    DATA_CONFLICT = "data_conflict"
    SENT_BACK = "sent_back"
    DOCUMENT_AWAITED = "document_awaited"
    DOCUMENT_WAIT_ENDED = "document_wait_ended"
    LAPSED = "lapsed"
    DISPUTED = "disputed"
    OPINIONS_HEARD = "opinions_heard"
    UPHELD = "upheld"
    OVERTURNED = "overturned"
    SUPERSEDED = "superseded"
    GROUND_CHECK_ASKED = "ground_check_asked"
    GROUND_CHECKED = "ground_checked"


class Position(BaseModel):
    """Where a case stands on its route.

    `contested` is the stage whose no is, or was, disputed: in a conflict, or by the appeal that the case is.
    """

    model_config = ConfigDict(frozen=True)

    route: tuple[Stage, ...]
    status: Status
    stage: Stage | None = None
    settled: frozenset[Stage] = frozenset()
    returned_from: Stage | None = None
    contested: Stage | None = None
    identity_waived: bool = False
    ministry: bool = True

    @property
    def closed(self) -> bool:
        """Whether the case has ended."""
        return self.status in CLOSED_STATUSES

    @property
    def is_appeal(self) -> bool:
        """Whether the case is an appeal against the rejection of another."""
        return self.route[:1] == (Stage.APPEAL,)


STATUS_OF_STAGE = {
    Stage.IDENTITY_CHECK: Status.CHECKING,
    Stage.VERIFICATION: Status.IN_VERIFICATION,
    Stage.DELIBERATION: Status.IN_DELIBERATION,
    Stage.APPROVAL: Status.IN_APPROVAL,
    Stage.ENDORSEMENT: Status.IN_ENDORSEMENT,
    Stage.DELIVERY: Status.IN_DELIVERY,
    Stage.REPAIR: Status.RETURNED,
    Stage.APPEAL: Status.IN_APPEAL,
    Stage.OPINION: Status.IN_CONFLICT,
    Stage.CONFLICT: Status.IN_CONFLICT,
}
"""The status that a case shows on entering a stage."""

DECIDES_ON: dict[Stage, frozenset[str]] = {
    Stage.IDENTITY_CHECK: frozenset({"identity"}),
    Stage.VERIFICATION: frozenset({"identity", "members", "circumstances", "address", "event", "programmes"}),
    Stage.DELIBERATION: frozenset({"members", "circumstances", "programmes"}),
    Stage.APPROVAL: frozenset({"identity", "members", "circumstances", "address", "event", "programmes"}),
    Stage.ENDORSEMENT: frozenset(),
    Stage.DELIVERY: frozenset(),
}
"""The groups of fields that each stage judged: a repair of one of them asks that stage again (proposal)."""
