"""What a case waits for that nobody of its offices can do: a paper of another office."""

from __future__ import annotations

from domain.durations import Duration
from domain.provenance import Provenance


class DocumentWaitRule(Provenance):
    """How long a repair may stand in all while the applicant waits for a paper of another office."""

    longest: Duration
