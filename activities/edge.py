"""The edge of every activity: a refusal becomes a non-retryable failure of the same code, a fault stays a fault."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.errors import DomainError, InvalidInput


@contextmanager
def refusals(of: type[DomainError] = DomainError) -> Generator[None]:
    """Turn a DomainError of the block, or of one kind, into what the engine hands on as it is and never retries."""
    try:
        yield
    except of as refusal:
        details: dict[str, object] = {"remedy": refusal.remedy, "pointer": refusal.pointer, "data": refusal.data}
        if isinstance(refusal, InvalidInput):
            details["violations"] = [violation.model_dump() for violation in refusal.violations]
        raise ApplicationError(
            refusal.detail,
            details,
            type=refusal.code,
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        ) from refusal
