"""How long what is kept of people is kept, and where each period comes from.

The law says that personal data are erased once their period of retention has passed (UU 27/2022 art. 43 and 44, as
commonly cited) and names no period. None of the regulations of the field that could be read names one either: every
default is a proposal, and a regency writes down what its own schedule of archives (*jadwal retensi arsip*) says.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from domain.provenance import Provenance
from domain.vocabulary import Strength


class RetentionSubject(StrEnum):
    """What has a period of its own."""

    EVIDENCE = "evidence"
    CONTENTS = "contents"
    SEALED_REQUESTS = "sealed_requests"
    TRACKING = "tracking"
    READ_LOG = "read_log"
    NOTIFICATIONS = "notifications"
    SESSIONS = "sessions"
    PERSON_REQUESTS = "person_requests"
    PERSON_EXPORTS = "person_exports"
    ORIGINS = "origins"


COUNTED_FROM: Final = {
    RetentionSubject.EVIDENCE: "files of evidence, from the end of their case",
    RetentionSubject.CONTENTS: "what a case proposed that was rejected, withdrawn or lapsed, with the words of its "
    "decisions and the comments on it, from its end",
    RetentionSubject.SEALED_REQUESTS: "what was sent under an Idempotency-Key, from its answer",
    RetentionSubject.TRACKING: "the public page of a case, from its end",
    RetentionSubject.READ_LOG: "the words of why somebody read clear values, from the reading",
    RetentionSubject.NOTIFICATIONS: "what officers were told of a case, from its end",
    RetentionSubject.SESSIONS: "where an account was signed in, from the end of the session",
    RetentionSubject.PERSON_REQUESTS: "who asked for their rights, and in what words, from the answer",
    RetentionSubject.PERSON_EXPORTS: "the export that was made for a person, from its making",
    RetentionSubject.ORIGINS: "from which address, client, account and machine an act came, from the act",
}
"""What each subject is, and from when its period runs."""


class RetentionRule(Provenance):
    """How long one thing is kept. Erased is what is older, and is under no legal hold."""

    subject: RetentionSubject
    period: Annotated[timedelta, Field(gt=timedelta(0))]


LEAST_FOR_APPEAL: Final = timedelta(days=60)
"""An appeal may come for thirty calendar days, and has to find what it is about."""


def _proposal(subject: RetentionSubject, days: int, why: str) -> RetentionRule:
    return RetentionRule(
        subject=subject,
        period=timedelta(days=days),
        source=f"Proposal; {why}",
        strength=Strength.PROPOSAL,
    )


DEFAULT_RETENTION: Final = (
    _proposal(RetentionSubject.EVIDENCE, 730, "one round of the two-yearly verification of UU 13/2011"),
    _proposal(RetentionSubject.CONTENTS, 365, "appeals and complaints are long over"),
    _proposal(RetentionSubject.SEALED_REQUESTS, 90, "nobody repeats a request after so long"),
    _proposal(RetentionSubject.TRACKING, 365, "as long as what the case proposed"),
    _proposal(RetentionSubject.READ_LOG, 1825, "who read is answered for over five budget years"),
    _proposal(RetentionSubject.NOTIFICATIONS, 365, "the trail of the case tells the same"),
    _proposal(RetentionSubject.SESSIONS, 180, "long enough to look into a misuse of an account"),
    _proposal(RetentionSubject.PERSON_REQUESTS, 1825, "that a right was served has to be shown"),
    _proposal(RetentionSubject.PERSON_EXPORTS, 7, "the person fetches it within a week"),
    _proposal(RetentionSubject.ORIGINS, 365, "an act is looked into by the audit of the year after it"),
)
"""What holds where a policy says nothing else; also what the database falls back on."""


def period_of(rules: tuple[RetentionRule, ...], subject: RetentionSubject) -> timedelta:
    """How long these rules keep something; the default where they say nothing of it."""
    every = {rule.subject: rule.period for rule in (*DEFAULT_RETENTION, *rules)}
    return every[subject]
